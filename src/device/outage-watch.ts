import type { ColdContext, Scratch } from '../engine/cold-context.js';
import type { Procedure } from '../engine/effect.js';
import { MAIN } from '../engine/effect.js';
import { checkDevice } from '../engine/find-gone-devices.js';
import { tryDeviceAgain } from '../engine/probe.js';
import { spareAnswers } from '../engine/spare-probe.js';
import type { Scheduler } from '../ports/scheduler.js';
import type { EffectRunner } from './effect-runner.js';
import type { Outages } from './outages.js';

/**
 * Looks after devices that are gone, about once a second while there are any: do they answer again, or are they there
 * under another name? Also takes suspects: devices that may be gone without anybody having noticed. One look at a time,
 * with memory of its own, so that it never waits for the requests that wait for it.
 */
export class OutageWatch {
  readonly #parts: WatchParts;
  readonly #suspects = new Set<number>();
  #hasTimer = false;
  #isLooking = false;
  #isStopped = false;

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  /** No look is under way; after `stop` none will be. */
  get isIdle(): boolean {
    return !this.#isLooking;
  }

  /** A device has been found to be gone. */
  noteGone(target: number, reason: string): void {
    const { outages, scheduler } = this.#parts;
    if (!outages.begin(target, reason, scheduler.nowMs(), scheduler.wallClockSeconds())) return;
    this.#schedule();
  }

  /** Something failed that could be this device being gone: looks soon. */
  suspect(target: number): void {
    const { outages, scheduler } = this.#parts;
    if (this.#isStopped || outages.isGone(target) || this.#suspects.has(target)) return;
    this.#suspects.add(target);
    if (this.#suspects.size === 1) scheduler.after(0, () => this.#startLook());
  }

  stop(): void {
    this.#isStopped = true;
  }

  #schedule(): void {
    const { outages, scheduler } = this.#parts;
    if (this.#hasTimer || this.#isStopped || outages.gone().length === 0) return;
    this.#hasTimer = true;
    const delayMs = Math.min(LOOK_PAUSE_MS, outages.msToNextExpiry(scheduler.nowMs()));
    scheduler.after(delayMs, () => this.#tick());
  }

  /** Time runs on for those who wait, also while a look takes long. */
  #tick(): void {
    const { outages, scheduler, expired, failOverdue } = this.#parts;
    this.#hasTimer = false;
    if (this.#isStopped) return;
    for (const target of outages.takeExpired(scheduler.nowMs())) expired(target);
    failOverdue();
    this.#startLook();
    this.#schedule();
  }

  #startLook(): void {
    if (this.#isLooking || this.#isStopped) return;
    const suspects = [...this.#suspects];
    this.#suspects.clear();
    this.#isLooking = true;
    this.#lookAt([...suspects, ...this.#parts.outages.gone()]);
  }

  #lookAt(targets: readonly number[]): void {
    const [target, ...rest] = targets;
    if (target === undefined || this.#isStopped) {
      this.#isLooking = false;
      if (this.#suspects.size > 0) this.#startLook();
      return;
    }
    const { context, outages, runner, scratch, findReturned } = this.#parts;
    const next = (): void => this.#lookAt(rest);
    if (!outages.isGone(target)) return runner.start(checkDevice(context, scratch, target), next);
    this.#tryInPlace(target, (isBack) => {
      if (isBack || this.#isStopped) return next();
      findReturned(target, (wasReplaced) => {
        if (wasReplaced && !this.#isStopped) this.#tryAgain(target, next);
        else next();
      });
    });
  }

  /** As seldom as the breaker wants it. */
  #tryInPlace(target: number, done: (isBack: boolean) => void): void {
    const { context, scheduler } = this.#parts;
    if (target === MAIN && !context.breaker.takeTrial(scheduler.nowMs())) return done(false);
    this.#tryAgain(target, done);
  }

  /** Does it answer? The main device tells so itself (`breakerClosed`). */
  #tryAgain(target: number, done: (isBack: boolean) => void): void {
    const { context, runner, scratch, spareAnswered } = this.#parts;
    if (target === MAIN) {
      runner.start(tryMain(context, scratch), done);
    } else {
      runner.start(spareAnswers(context, scratch, target - 1), (answers) => {
        if (answers) spareAnswered(target - 1, done);
        else done(false);
      });
    }
  }
}

export interface WatchParts {
  readonly context: ColdContext;
  readonly outages: Outages;
  readonly runner: EffectRunner;
  readonly scheduler: Scheduler;
  /** Nobody else's. */
  readonly scratch: Scratch;
  /** It is gone for longer than requests wait. */
  readonly expired: (target: number) => void;
  /** Fails requests that have waited for too long, through several outages. */
  readonly failOverdue: () => void;
  /** A spare that was gone answers: makes it usable again, if that works. */
  readonly spareAnswered: (spareIndex: number, done: (isBack: boolean) => void) => void;
  /** Looks for it elsewhere; true if the store works on another device now. */
  readonly findReturned: (target: number, done: (wasReplaced: boolean) => void) => void;
}

function* tryMain(context: ColdContext, scratch: Scratch): Procedure<boolean> {
  yield* tryDeviceAgain(context, scratch);
  return !context.breaker.isOpen;
}

/** Quick enough for a person who has just put the plug in again. */
const LOOK_PAUSE_MS = 1000;
