import { setTimeout as delay } from 'node:timers/promises';
import type { JobReport } from '../../control/schema/jobs.js';
import type { EmptyingRequest, JobsAtWork } from '../../control/served-set.js';
import type { DeviceNotice, ProtectedDevice } from '../../library/device-types.js';
import { DmRemapError } from '../../library/errors.js';
import { EmptyingMemory } from './emptying-memory.js';
import type { JobMemory } from './job-memory.js';
import { beganNotice, endedNotice, pausedNotice, resumedNotice } from './job-notices.js';
import { type KnownJob, reportOf } from './known-job.js';
import { CONSOLIDATION_ID, type JobSurroundings, openConsolidation, openEmptying } from './open-job.js';
import { refuseEnded } from './refuse-ended.js';
import { refuseWithoutRoom } from './room-elsewhere.js';
import { Turns } from './turns.js';

/** Long work on the set that this process serves. What is begun is remembered, and gone on with by the next process. */
export class ServerJobs implements JobsAtWork {
  readonly #parts: ServerJobsParts;
  readonly #emptying: EmptyingMemory;
  readonly #surroundings: JobSurroundings;
  readonly #known = new Map<string, KnownJob>();
  readonly #turns = new Turns();

  constructor(parts: ServerJobsParts) {
    const { device, memory, nowMs } = parts;
    this.#parts = parts;
    this.#emptying = new EmptyingMemory(memory, device.info.spares);
    this.#surroundings = { device, info: device.info, nowMs, ended: (id) => this.#ended(id) };
  }

  /** What an earlier process was at; one that was paused rests still. */
  async goOn(): Promise<void> {
    for (const { isPaused, ...wanted } of await this.#emptying.read())
      await this.#goOnWith(isPaused, () => openEmptying(this.#surroundings, wanted));
    const { consolidation } = this.#parts.memory.jobs;
    if (consolidation !== null)
      await this.#goOnWith(consolidation.isPaused, () => openConsolidation(this.#surroundings));
  }

  async list(): Promise<readonly JobReport[]> {
    const evacuation = await this.#parts.evacuation.job();
    const others = [...this.#known.values()].map(reportOf);
    return evacuation === undefined ? others : [evacuation, ...others];
  }

  /** Goes on with what is there, paused or not; what has ended is begun again. */
  emptySpare(request: EmptyingRequest): Promise<JobReport> {
    return this.#turns.run(() => this.#emptySpare(request));
  }

  async #emptySpare(request: EmptyingRequest): Promise<JobReport> {
    const known = this.#emptyingOf(request.spareIndex);
    if (known === undefined || known.job.hasEnded) return this.#beginEmptying(request);
    const wanted = known.wanted!;
    // Of somebody who asked before it is not taken back.
    wanted.acceptsLoss ||= request.acceptsLoss;
    wanted.toSpareIndex = request.toSpareIndex ?? wanted.toSpareIndex;
    await this.#remember(known, false);
    return this.#resume(known);
  }

  /** The spare takes units again, whatever was to become of it. */
  async keepSpare(spareIndex: number): Promise<void> {
    const { device } = this.#parts;
    const { spares } = device.info;
    const spare = spares[spareIndex];
    if (spare === undefined)
      throw new DmRemapError('usage', `spare ${spareIndex}: the set has ${spares.length}, from 0 on`);
    const known = this.#emptyingOf(spareIndex);
    if (known !== undefined) await this.#cancel(known);
    await this.#emptying.forget(spare.uuid);
    await device.keepSpare(spareIndex);
  }

  isEmptying(spareIndex: number): boolean {
    const { state } = this.#emptyingOf(spareIndex)?.job.report ?? {};
    return state !== undefined && state !== 'cancelled';
  }

  /** It is none of the set any more. */
  spareRemoved(uuid: string): Promise<void> {
    return this.#emptying.forget(uuid);
  }

  consolidate(): Promise<JobReport> {
    return this.#turns.run(() => this.#consolidate());
  }

  async #consolidate(): Promise<JobReport> {
    const known = this.#known.get(CONSOLIDATION_ID);
    const isThere = known !== undefined && !known.job.hasEnded;
    const job = isThere ? known : await openConsolidation(this.#surroundings);
    await this.#remember(job, false);
    return isThere ? this.#resume(job) : this.#begin(job);
  }

  async pause(id: string): Promise<JobReport | undefined> {
    const known = this.#known.get(id);
    if (known === undefined) return this.#ofEvacuation(id, () => this.#parts.evacuation.pause(), refuseEnded);
    refuseEnded(reportOf(known));
    if (known.job.pause()) {
      await this.#remember(known, true);
      this.#parts.tell(pausedNotice(reportOf(known)));
    }
    return reportOf(known);
  }

  async resume(id: string): Promise<JobReport | undefined> {
    const known = this.#known.get(id);
    if (known === undefined)
      return this.#ofEvacuation(id, () => this.#parts.evacuation.resumeJob(), refuseEnded);
    refuseEnded(reportOf(known));
    await this.#remember(known, false);
    return this.#resume(known);
  }

  async cancel(id: string): Promise<JobReport | undefined> {
    const known = this.#known.get(id);
    if (known === undefined) return this.#ofEvacuation(id, () => this.#parts.evacuation.cancel());
    if (known.spareIndex !== null) await this.keepSpare(known.spareIndex);
    else if (!known.job.hasEnded) await this.#cancel(known);
    return reportOf(known);
  }

  /** Before the set is closed, for good or for another process. Does not wait for ever: closing ends what is left. */
  async rest(): Promise<void> {
    const all = [...this.#known.values()].map(({ job }) => job.rest());
    await withinLimit(Promise.all(all).then(() => this.#parts.memory.written));
  }

  /** `refuse`: throws where the job is not in a state for `act`. */
  async #ofEvacuation(
    id: string,
    act: () => Promise<unknown>,
    refuse: (job: JobReport) => void = () => {},
  ): Promise<JobReport | undefined> {
    const { evacuation, tell } = this.#parts;
    const before = await evacuation.job();
    if (before?.id !== id) return undefined;
    refuse(before);
    await act();
    const after = await evacuation.job();
    if (before.state === 'running' && after?.state === 'paused') tell(pausedNotice(after));
    if (before.state === 'paused' && after?.state === 'running') tell(resumedNotice(after));
    // One that no process had begun again is forgotten altogether.
    return after ?? { ...before, state: 'cancelled', problem: null };
  }

  async #goOnWith(isPaused: boolean, open: () => Promise<KnownJob>): Promise<void> {
    try {
      const known = await open();
      if (isPaused) this.#known.set(known.id, known);
      else this.#begin(known);
    } catch (error) {
      if (!(error instanceof DmRemapError)) throw error;
      const message = `work of an earlier process does not go on: ${error.message}`;
      this.#parts.tell({ level: 'error', event: 'jobNotResumed', message, details: {} });
    }
  }

  async #beginEmptying(request: EmptyingRequest): Promise<JobReport> {
    const { spareIndex, toSpareIndex } = request;
    await refuseWithoutRoom(this.#parts.device, spareIndex, toSpareIndex);
    const opened = await openEmptying(this.#surroundings, { ...request });
    await this.#remember(opened, false);
    return this.#begin(opened);
  }

  #begin(known: KnownJob): JobReport {
    this.#known.set(known.id, known);
    this.#parts.tell(beganNotice(reportOf(known)));
    known.job.resume();
    return reportOf(known);
  }

  #resume(known: KnownJob): JobReport {
    if (known.job.resume()) this.#parts.tell(resumedNotice(reportOf(known)));
    return reportOf(known);
  }

  async #cancel({ job }: KnownJob): Promise<void> {
    job.cancel();
    await withinLimit(job.atRest());
  }

  /** An empty spare is remembered until it is taken out or used again. */
  #ended(id: string): void {
    if (id === CONSOLIDATION_ID) void this.#parts.memory.change({ consolidation: null });
    this.#parts.tell(endedNotice(reportOf(this.#known.get(id)!)));
  }

  #emptyingOf(spareIndex: number): KnownJob | undefined {
    return [...this.#known.values()].find((known) => known.spareIndex === spareIndex);
  }

  #remember({ wanted }: KnownJob, isPaused: boolean): Promise<void> {
    if (wanted !== undefined) return this.#emptying.keep(wanted, isPaused);
    return this.#parts.memory.change({ consolidation: { isPaused } });
  }
}

export interface ServerJobsParts {
  readonly device: Pick<
    ProtectedDevice,
    'info' | 'status' | 'emptySpare' | 'keepSpare' | 'spareUse' | 'consolidate'
  >;
  readonly evacuation: EvacuationJob;
  readonly memory: JobMemory;
  readonly tell: (notice: DeviceNotice) => void;
  readonly nowMs: () => number;
}

/** The copying of the set to another disk, as one of its jobs. */
export interface EvacuationJob {
  job(): Promise<JobReport | undefined>;
  pause(): Promise<void>;
  resumeJob(): Promise<void>;
  cancel(): Promise<unknown>;
}

async function withinLimit(rest: Promise<unknown>): Promise<void> {
  await Promise.race([rest, delay(REST_LIMIT_MS, undefined, { ref: false })]);
}

/** The part that is under way ends before, unless a device does not answer. */
const REST_LIMIT_MS = 5_000;
