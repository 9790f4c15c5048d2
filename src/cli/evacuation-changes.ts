import { randomUUID } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { assert } from '../base/assert.js';
import type { JobReport } from '../control/schema/jobs.js';
import type { BegunEvacuation, EvacuationAtWork, EvacuationRequest } from '../control/served-set.js';
import { parseUuid } from '../format/set-id.js';
import type { EvacuationReport, OpenDeviceOptions, ProtectedDevice } from '../library/device-types.js';
import { DISK_PATIENCE_MS } from '../library/disk-patience.js';
import { DmRemapError } from '../library/errors.js';
import type { EvacuationPlan } from '../library/plan-evacuation.js';
import type { ReplaceMainPlan } from '../library/replace-main.js';
import type { LibraryCalls } from './cli-context.js';
import type { EvacuationMemory, EvacuationTarget } from './evacuation-memory.js';
import { evacuationJob, restingEvacuation } from './jobs/evacuation-job.js';
import { Pace } from './jobs/pace.js';
import type { RememberedEvacuation } from './jobs/remembered-jobs.js';
import { Turns } from './jobs/turns.js';
import { type SetChanges, withMain } from './set-changes.js';

/** Copies the set that this process serves to another disk, and has that take over. */
export class EvacuationChanges implements EvacuationAtWork {
  readonly #options: Pick<OpenDeviceOptions, 'main' | 'spares'>;
  readonly #device: EvacuatedDevice;
  readonly #changes: SetChanges;
  readonly #library: EvacuationCalls;
  readonly #memory: EvacuationMemory;
  readonly #turns = new Turns();
  #pace = new Pace(() => performance.now());

  constructor(
    options: Pick<OpenDeviceOptions, 'main' | 'spares'>,
    device: EvacuatedDevice,
    changes: SetChanges,
    library: EvacuationCalls,
    memory: EvacuationMemory,
  ) {
    this.#options = options;
    this.#device = device;
    this.#changes = changes;
    this.#library = library;
    this.#memory = memory;
  }

  /** Whoever asks meanwhile finds what is remembered as it is, and not what is only tried. */
  begin(request: EvacuationRequest): Promise<BegunEvacuation> {
    return this.#turns.run(() => this.#begin(request));
  }

  async #begin({ device, force, dryRun }: EvacuationRequest): Promise<BegunEvacuation> {
    const { ublk } = this.#device;
    if (ublk !== undefined && isPartOf(device, ublk.path))
      throw new DmRemapError('usage', `${device}: is the set itself; name the disk that is to hold it`);
    const before = await this.#device.evacuation();
    const isUnderWay = before !== undefined && before.path === device && isThere(before);
    const isKnown = isUnderWay || (await this.#isRemembered(device));
    // By now it holds what was copied.
    const plan = await this.#plan(device, force || isKnown);
    if (dryRun) return { ...plan, evacuation: undefined };
    if (!isUnderWay) this.#pace = new Pace(() => performance.now());
    const copyId = isKnown ? (this.#memory.read()?.copyId ?? randomUUID()) : randomUUID();
    const evacuation = await this.#remembering({ device, copyId }, () => this.#evacuate(device, copyId));
    this.#pace.run();
    return { ...plan, evacuation };
  }

  #plan(device: string, force: boolean): Promise<EvacuationPlan> {
    const { info, ublk } = this.#device;
    const { main, spares } = this.#options;
    const { sizeBytes, logicalBlockBytes, geometry } = info;
    const isNeverFlushed = ublk !== undefined && !geometry.queue.volatileCache;
    return this.#library.planEvacuation({
      main,
      spares,
      sizeBytes,
      logicalBlockBytes,
      device,
      isNeverFlushed,
      force,
    });
  }

  /** Before it begins: whoever asked has agreed, and the process may die at any time. Taken back where it can't begin. */
  async #remembering<Value>(
    { device, copyId }: Omit<EvacuationTarget, 'identity'>,
    begin: () => Promise<Value>,
  ): Promise<Value> {
    const before = this.#memory.read();
    const identity = await this.#library.identifyDisk(device);
    if (identity !== undefined) await this.#memory.keep({ device, identity, copyId });
    try {
      return await begin();
    } catch (error) {
      await this.#memory.restore(before);
      throw error;
    }
  }

  /** Begins again what an earlier process was at, unless it rests. Answers why it can't be, where it can't. */
  async resume(): Promise<string | undefined> {
    const target = this.#memory.read();
    if (target === undefined || target.isPaused || target.isStopped) return undefined;
    return this.#memory.isOfEarlierBoot ? this.#goOnIfAsLeft(target) : this.#beginAgain(target);
  }

  /** Nobody has put the disk to another use if it still holds what was copied. */
  async #goOnIfAsLeft(target: RememberedEvacuation): Promise<string | undefined> {
    const { device, identity, copyId } = target;
    const isThere = (await this.#untilIdentified(device)) === identity;
    if (!isThere || !(await this.#library.holdsCopy(this.#options.main, device))) return undefined;
    try {
      // What a new start of the machine may have changed, such as a write cache.
      await this.#plan(device, true);
    } catch (error) {
      if (error instanceof DmRemapError) return error.message;
      throw error;
    }
    await this.#memory.keep({ device, identity, copyId });
    return this.#beginAgain(target);
  }

  /** Disks are found one after the other when a machine starts, and nobody waits for this one. */
  async #untilIdentified(device: string): Promise<string | undefined> {
    for (let waitedMs = 0; waitedMs < LATE_DISK_MS; waitedMs += LATE_DISK_RETRY_MS) {
      const identity = await this.#library.identifyDisk(device);
      if (identity !== undefined) return identity;
      await delay(LATE_DISK_RETRY_MS);
    }
    return undefined;
  }

  /** Undefined: nothing was copied since the set was opened, nor is anything to be gone on with. */
  async job(): Promise<JobReport | undefined> {
    const report = await this.#device.evacuation();
    if (report !== undefined) return evacuationJob(report, this.#pace);
    const kept = this.#memory.read();
    return kept && restingEvacuation(kept.device, this.#restReason);
  }

  async pause(): Promise<void> {
    if ((await this.#device.evacuation())?.state !== 'copying') return;
    await this.#device.pauseEvacuation();
    this.#pace.rest();
    await this.#memory.notePaused(true);
  }

  async resumeJob(): Promise<void> {
    const kept = this.#memory.read();
    if ((await this.#device.evacuation()) !== undefined) {
      await this.#device.resumeEvacuation();
      this.#pace.run();
    } else if (kept !== undefined) {
      if (this.#memory.needsConsent) throw new DmRemapError('refused', `${kept.device}: ${this.#restReason}`);
      const problem = await this.#beginAgain(kept);
      if (problem !== undefined) throw new DmRemapError('device', problem);
    }
    await this.#memory.notePaused(false);
  }

  get #restReason(): string {
    if (!this.#memory.needsConsent) return 'it was paused before the process was started again';
    const what = this.#memory.isOfEarlierBoot ? 'machine was started anew' : 'set was stopped';
    return `the ${what} meanwhile, and the disk may have been put to another use: "dmremap evacuate" without a disk shows what it holds, asks, and goes on; --cancel forgets it`;
  }

  /** By now it holds what was copied, unless it is another disk, or that can't be told. */
  async #isRemembered(device: string): Promise<boolean> {
    const kept = this.#memory.read();
    if (kept?.device !== device) return false;
    return (await this.#library.identifyDisk(device)) === kept.identity;
  }

  async #beginAgain(target: EvacuationTarget): Promise<string | undefined> {
    const { device, identity } = target;
    const copyId = target.copyId ?? randomUUID();
    if (target.copyId === null) await this.#memory.noteCopyId(copyId);
    const problem =
      (await this.#library.identifyDisk(device)) === identity
        ? await this.#evacuatePatiently(device, copyId)
        : 'it is not there, or another disk';
    if (problem === undefined) this.#pace.run();
    if (problem === undefined) return undefined;
    // Somebody may have begun to copy to another disk meanwhile.
    if (this.#memory.read()?.device === device) await this.#memory.forget();
    return `${device}: everything was being copied to it, which does not go on: ${problem}`;
  }

  /** The last I/O of a process that was killed may still be under way. Answers why it can't be copied to. */
  async #evacuatePatiently(path: string, copyId: string): Promise<string | undefined> {
    for (let waitedMs = 0; ; waitedMs += OPEN_RETRY_MS) {
      if (this.#memory.read()?.device !== path) return 'it was cancelled';
      try {
        await this.#evacuate(path, copyId);
        return undefined;
      } catch (error) {
        if (!(error instanceof DmRemapError)) throw error;
        if (error.failure !== 'device' || waitedMs >= DISK_PATIENCE_MS) return error.message;
      }
      await delay(OPEN_RETRY_MS);
    }
  }

  #evacuate(path: string, copyId: string): Promise<EvacuationReport> {
    const bytes = parseUuid(copyId);
    assert(bytes.ok, 'it is of randomUUID, or of a job file that was judged');
    return this.#device.evacuate(path, bytes.value);
  }

  report(): Promise<EvacuationReport | undefined> {
    return this.#device.evacuation();
  }

  cancel(): Promise<EvacuationReport | undefined> {
    return this.#turns.run(() => this.#cancel());
  }

  async #cancel(): Promise<EvacuationReport | undefined> {
    const report = await this.#device.cancelEvacuation();
    await this.#memory.forget();
    return report;
  }

  acceptLoss(): Promise<EvacuationReport> {
    return this.#device.acceptEvacuationLoss();
  }

  /** The name may be that of another disk by now. One that can't be identified is left to whoever opens it. */
  async #refuseOther(path: string): Promise<void> {
    const kept = this.#memory.read();
    const identity = kept && (await this.#library.identifyDisk(path));
    if (identity === undefined || identity === kept!.identity) return;
    throw new DmRemapError('refused', `${path}: is not the disk that everything was copied to any more`);
  }

  async finish(told: Promise<void>): Promise<ReplaceMainPlan> {
    const report = await this.#device.evacuation();
    if (report?.state !== 'copied') throw notCopied(report);
    const { spares } = this.#options;
    const { path } = report;
    return this.#changes.ask(async ({ isEvacuated }) => {
      if (!isEvacuated)
        throw new DmRemapError('io', `${path}: has not taken everything in the end; it is copied anew`);
      await this.#refuseOther(path);
      const options = { spares, device: path, remaps: 'withLoss', openPatienceMs: DISK_PATIENCE_MS } as const;
      const value = await this.#library.replaceMain(options);
      await this.#memory.forget();
      return { value, commandLine: withMain(path) };
    }, told);
  }
}

type EvacuationCalls = Pick<LibraryCalls, 'planEvacuation' | 'replaceMain' | 'identifyDisk' | 'holdsCopy'>;

type EvacuatedDevice = Pick<
  ProtectedDevice,
  | 'info'
  | 'ublk'
  | 'evacuate'
  | 'evacuation'
  | 'pauseEvacuation'
  | 'resumeEvacuation'
  | 'acceptEvacuationLoss'
  | 'cancelEvacuation'
>;

function isThere({ state }: EvacuationReport): boolean {
  return state === 'copying' || state === 'copied' || state === 'incomplete';
}

function notCopied(report: EvacuationReport | undefined): DmRemapError {
  if (report === undefined) return new DmRemapError('refused', 'nothing is being copied to another disk');
  const why = report.problem ?? `${report.path}: ${report.state}, not copied`;
  return new DmRemapError('refused', why);
}

/** The block device of the set, or a partition on it: it would be copied to itself. */
function isPartOf(device: string, blockDevice: string): boolean {
  const path = realPath(device);
  return path === blockDevice || path.startsWith(`${blockDevice}p`);
}

/** What is not there is refused when it is opened. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return path;
    throw error;
  }
}

const OPEN_RETRY_MS = 100;
/** The set is not served before. */
const LATE_DISK_MS = 10_000;
const LATE_DISK_RETRY_MS = 200;
