import { setTimeout as delay } from 'node:timers/promises';
import type { JobReport } from '../../control/schema/jobs.js';
import { Pace } from './pace.js';
import { FIRST_PART_LIMIT, nextPartLimit } from './part-limit.js';
import type { UnitWork, WorkPart } from './unit-work.js';

/** Does work in parts, one after the other, until it is over, paused or given up. */
export class UnitJob {
  readonly #parts: UnitJobParts;
  readonly #pace: Pace;
  #state: JobReport['state'] = 'paused';
  #isWaiting = false;
  #isEnding = false;
  #loop: Promise<void> | undefined;
  #last: WorkPart;
  #movedUnits = 0;
  #problem: string | undefined;

  private constructor(parts: UnitJobParts, first: WorkPart) {
    this.#parts = parts;
    this.#pace = new Pace(parts.nowMs);
    this.#last = first;
  }

  /** Looks how much there is to do; it rests until `resume`. Rejects with `DmRemapError`. */
  static async create(parts: UnitJobParts): Promise<UnitJob> {
    return new UnitJob(parts, await parts.work.part(0));
  }

  get report(): UnitJobReport {
    const { done, total, refusals } = this.#last;
    return {
      state: this.#state,
      isWaiting: this.#isWaiting && this.#state === 'running',
      progress: { done, total, ...this.#pace.of(done, total) },
      movedUnits: this.#movedUnits,
      refusals,
      problem: this.#problem ?? null,
    };
  }

  /** It is over, one way or another. */
  get hasEnded(): boolean {
    return this.#state !== 'running' && this.#state !== 'paused';
  }

  /** What is under way is finished: some seconds of work at most. False: that changes nothing. */
  pause(): boolean {
    if (this.#state !== 'running') return false;
    this.#state = 'paused';
    this.#pace.rest();
    return true;
  }

  resume(): boolean {
    if (this.#state !== 'paused') return false;
    this.#state = 'running';
    this.#pace.run();
    this.#goOn();
    return true;
  }

  /** Also of one that has ended, where that can be taken back. */
  cancel(): void {
    if (this.#state === 'cancelled') return;
    this.#state = 'running';
    this.#end('cancelled');
  }

  /** For the end of the process; the next one goes on. Resolves when nothing is under way any more. */
  async rest(): Promise<void> {
    this.#isEnding = true;
    await this.#loop;
  }

  /** After `cancel`: resolves when nothing is under way any more. */
  async atRest(): Promise<void> {
    await this.#loop;
  }

  #goOn(): void {
    this.#loop ??= this.#work().finally(() => {
      this.#loop = undefined;
      // Resumed in the moment in which it came to rest.
      if (this.#isWanted) this.#goOn();
    });
  }

  get #isWanted(): boolean {
    return this.#state === 'running' && !this.#isEnding;
  }

  async #work(): Promise<void> {
    for (let limit = FIRST_PART_LIMIT; this.#isWanted; ) {
      const startedMs = this.#parts.nowMs();
      await this.#takePart(limit);
      limit = nextPartLimit(limit, this.#parts.nowMs() - startedMs);
    }
  }

  async #takePart(limit: number): Promise<void> {
    if (await this.#waits()) return;
    const part = await this.#parts.work.part(limit).catch((error: Error) => error);
    // The set is being closed.
    if (part instanceof Error && this.#isEnding) return;
    if (part instanceof Error) return this.#stumble(part.message);
    this.#last = part;
    this.#movedUnits += part.movedCount;
    if (part.next === 'over') this.#end('done');
    else if (part.next !== 'more') await this.#stumble(part.next.stuck);
  }

  /** True: a device is away, or requests are held; it was waited for a moment. */
  async #waits(): Promise<boolean> {
    // Of a set that can't be asked the next part says why.
    this.#isWaiting = await this.#parts.isAway().catch(() => false);
    if (this.#isWaiting) await delay(this.#parts.awayPauseMs);
    return this.#isWaiting;
  }

  async #stumble(problem: string): Promise<void> {
    if (!(await this.#waits()) && this.#isWanted) this.#end('failed', problem);
  }

  #end(state: 'done' | 'failed' | 'cancelled', problem?: string): void {
    // It may have been given up while its last part was under way.
    if (this.hasEnded) return;
    this.#state = state;
    this.#problem = problem;
    this.#pace.rest();
    this.#parts.ended();
  }
}

export interface UnitJobParts {
  readonly work: UnitWork;
  /** Whether something can't be done now for a reason that may pass. */
  readonly isAway: () => Promise<boolean>;
  readonly awayPauseMs: number;
  /** Whatever the end was. */
  readonly ended: () => void;
  readonly nowMs: () => number;
}

export interface UnitJobReport
  extends Pick<JobReport, 'state' | 'isWaiting' | 'movedUnits' | 'refusals' | 'problem'> {
  readonly progress: Omit<JobReport['progress'], 'unit'>;
}
