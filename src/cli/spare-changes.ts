import { commandLine } from '../base/shell-words.js';
import type { AddSpareRequest, ChangesOfSpares } from '../control/served-set.js';
import type { OpenDeviceOptions, ProtectedDevice } from '../library/device-types.js';
import { DISK_PATIENCE_MS } from '../library/disk-patience.js';
import { DmRemapError } from '../library/errors.js';
import type { AddSpareResult, RemoveSpareResult } from '../library/spare-types.js';
import type { LibraryCalls } from './cli-context.js';
import { type SetChanges, withoutSpare, withSpare } from './set-changes.js';

/** Of the emptying of spares. */
export interface EmptyingJobs {
  isEmptying(spareIndex: number): boolean;
  spareRemoved(uuid: string): Promise<void>;
}

/** Adds and removes spares of the set that this process serves. Mistakes are found before anything is closed. */
export class SpareChanges implements ChangesOfSpares {
  readonly #options: Pick<OpenDeviceOptions, 'main' | 'spares'>;
  readonly #device: Pick<ProtectedDevice, 'info' | 'emptySpare' | 'keepSpare' | 'evacuation'>;
  readonly #jobs: EmptyingJobs;
  readonly #changes: SetChanges;
  readonly #library: Pick<LibraryCalls, 'planAddSpare' | 'addSpare' | 'removeSpare'>;

  constructor(
    options: Pick<OpenDeviceOptions, 'main' | 'spares'>,
    device: Pick<ProtectedDevice, 'info' | 'emptySpare' | 'keepSpare' | 'evacuation'>,
    jobs: EmptyingJobs,
    changes: SetChanges,
    library: Pick<LibraryCalls, 'planAddSpare' | 'addSpare' | 'removeSpare'>,
  ) {
    this.#options = options;
    this.#device = device;
    this.#jobs = jobs;
    this.#changes = changes;
    this.#library = library;
  }

  async add({ device, force, dryRun }: AddSpareRequest, told: Promise<void>): Promise<AddSpareResult> {
    const { main, spares } = this.#options;
    const options = { main, spares, device, force };
    const plan = await this.#library.planAddSpare(options);
    if (dryRun) return plan;
    await this.#refuseDuringEvacuation();
    return this.#changes.ask(
      async () => ({
        value: await this.#library.addSpare({ ...options, openPatienceMs: DISK_PATIENCE_MS }),
        commandLine: withSpare(device),
      }),
      told,
    );
  }

  async remove(spareIndex: number, told: Promise<void>): Promise<RemoveSpareResult> {
    await this.#refuseDuringEvacuation();
    await this.#refuseUnits(spareIndex);
    const { path, uuid } = this.#device.info.spares[spareIndex]!;
    const options = { spares: this.#options.spares, device: path };
    return this.#changes.ask(async () => {
      const value = await this.#library.removeSpare({ ...options, openPatienceMs: DISK_PATIENCE_MS });
      await this.#jobs.spareRemoved(uuid);
      return { value, commandLine: withoutSpare(path) };
    }, told);
  }

  /** From the look on nothing is placed there; where units live on it, and nobody empties it, that is taken back. */
  async #refuseUnits(spareIndex: number): Promise<void> {
    const { leftCount } = await this.#device.emptySpare({ spareIndex, limit: 0, acceptsLoss: false });
    if (leftCount === 0) return;
    if (!this.#jobs.isEmptying(spareIndex)) await this.#device.keepSpare(spareIndex);
    throw new DmRemapError('refused', `spare ${spareIndex}: ${leftCount} unit(s) live on it; empty it first`);
  }

  /** The set would be closed for it, and the copying interrupted. */
  async #refuseDuringEvacuation(): Promise<void> {
    const { state, path } = (await this.#device.evacuation()) ?? {};
    if (state !== 'copying' && state !== 'copied') return;
    const { name, setId } = this.#device.info;
    const cancel = commandLine(['dmremap', 'evacuate', name || setId, '--cancel']);
    throw new DmRemapError(
      'refused',
      `everything is being copied to ${path}; wait for its end, or cancel it: ${cancel}`,
    );
  }
}
