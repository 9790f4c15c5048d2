import { setTimeout as delay } from 'node:timers/promises';
import type { MetadataWork } from '../device/metadata-writer.js';
import { offlineWork } from '../device/offline-work.js';
import type { EmptySet } from '../device/read-map.js';
import { type SetSurvey, surveySet } from '../device/survey-set.js';
import type { Procedure, Target } from '../engine/effect.js';
import { spareTarget } from '../engine/effect.js';
import type { MappedMemory } from '../kernel/aligned-memory.js';
import type { Geometry } from '../ports/block-store.js';
import { OfflineSession } from '../runtime/offline-session.js';
import { DmRemapError } from './errors.js';
import type { TransferWatch } from './metadata-types.js';
import { TransferMeter } from './transfer-meter.js';

/** Spares that nobody uses, for the metadata tools. Looking takes no lock and never writes. */
export class MetadataSession {
  readonly paths: readonly string[];
  readonly #session: OfflineSession;
  readonly #meter: TransferMeter;
  /** By position of the path. */
  #targets: readonly Target[];

  /**
   * Opens the spares, lets `use` have them, and closes them whatever happens. `openPatienceMs`: for so long, they may be in
   * use yet.
   */
  static async use<Value>(
    paths: readonly string[],
    access: 'look' | 'write',
    watch: TransferWatch & { readonly openPatienceMs?: number | undefined },
    use: (session: MetadataSession) => Promise<Value>,
  ): Promise<Value> {
    const open = () => OfflineSession.open(paths.map((path) => ({ path, readOnly: access === 'look' })));
    let opened = open();
    for (let waitedMs = 0; !opened.ok && waitedMs < (watch.openPatienceMs ?? 0); waitedMs += OPEN_RETRY_MS) {
      await delay(OPEN_RETRY_MS);
      opened = open();
    }
    if (!opened.ok) throw DmRemapError.of(opened.error);
    try {
      return await use(new MetadataSession(paths, opened.value, watch));
    } finally {
      opened.value.close();
    }
  }

  private constructor(paths: readonly string[], session: OfflineSession, watch: TransferWatch) {
    this.#meter = new TransferMeter(watch);
    this.paths = paths;
    this.#session = session;
    this.#targets = [...paths.keys()];
  }

  get geometries(): readonly Geometry[] {
    return this.#session.geometries;
  }

  get memory(): MappedMemory {
    return this.#session.memory;
  }

  /** Room for `RECOVERY_READ_BYTES` of each copy. */
  get bufferOffset(): number {
    return this.#session.bufferOffset;
  }

  /** Room for `MAX_COMMIT_PAGES` pages of each copy. */
  get writeOffset(): number {
    return this.#session.commitOffset;
  }

  /** Of the first so many devices; left out, of all. */
  survey(deviceCount = this.paths.length): Promise<SetSurvey> {
    const devices = this.geometries.slice(0, deviceCount).map(({ sizeBytes }, position) => ({
      sizeBytes,
      target: this.#targets[position]!,
    }));
    return this.run(surveySet({ devices, memory: this.memory, bufferOffset: this.bufferOffset }));
  }

  /** From now on the devices can be written to as the spares of a set. */
  arrangeSpares(deviceOfSpare: readonly number[]): void {
    this.#session.arrangeSpares(deviceOfSpare);
    this.#targets = this.paths.map((_, position) => spareTarget(deviceOfSpare.indexOf(position)));
  }

  /** A device that is not one of the spares is the main device of the set from now on. */
  arrangeMain(position: number): void {
    this.#session.arrangeMain(position);
  }

  workOn(set: EmptySet): MetadataWork {
    return offlineWork(set, this.memory, this.writeOffset);
  }

  run<Value>(procedure: Procedure<Value>): Promise<Value> {
    return this.#session.run(this.#meter.watch(procedure));
  }
}

const OPEN_RETRY_MS = 100;
