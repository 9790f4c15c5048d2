/**
 * Spares that fail as a whole rather than in single units: nothing new is placed on them for a while, longer each
 * time. What they hold stays mapped. Pure: the time is handed in.
 */
export class SpareSuspension {
  readonly #untilMs = new Map<number, number>();
  readonly #pauseMs = new Map<number, number>();
  readonly #causes = new Map<number, SuspensionCause>();
  /** By spare that did not take the last unit that was to be placed there: with which errno. */
  readonly #refusals = new Map<number, number>();
  readonly #leaving = new Map<number, LeavingProgress>();
  /** By spare that is being emptied: the one that its units go to while that takes them. */
  readonly #destinations = new Map<number, number>();

  isSuspended(spareIndex: number, nowMs: number): boolean {
    return nowMs < (this.#untilMs.get(spareIndex) ?? Number.NEGATIVE_INFINITY);
  }

  /** Of one that is suspended: it is worth a look when no other spare has room. */
  mayBeBack(spareIndex: number): boolean {
    const isGone = this.#untilMs.get(spareIndex) === Number.POSITIVE_INFINITY;
    const nextPauseMs = this.#pauseMs.get(spareIndex) ?? FIRST_PAUSE_MS;
    return !isGone && this.#causes.get(spareIndex) === 'silent' && nextPauseMs <= LONGEST_PAUSE_IN_DOUBT_MS;
  }

  suspend(spareIndex: number, nowMs: number, cause: SuspensionCause): void {
    const pauseMs = this.#pauseMs.get(spareIndex) ?? FIRST_PAUSE_MS;
    if (this.#untilMs.get(spareIndex) === Number.POSITIVE_INFINITY) return;
    this.#untilMs.set(spareIndex, nowMs + pauseMs);
    this.#pauseMs.set(spareIndex, Math.min(pauseMs * 2, LONGEST_PAUSE_MS));
    this.#causes.set(spareIndex, cause);
  }

  /** It is being emptied: nothing new goes there, whatever its state. */
  setLeaving(spareIndex: number, isLeaving: boolean): void {
    this.#destinations.delete(spareIndex);
    if (!isLeaving) this.#leaving.delete(spareIndex);
    else if (!this.isLeaving(spareIndex)) this.#leaving.set(spareIndex, { movedUnits: 0, leftUnits: 0 });
  }

  /** Of a spare that is being emptied: its units go to this one while that takes them. */
  prefer(spareIndex: number, destination: number): void {
    if (this.isLeaving(spareIndex)) this.#destinations.set(spareIndex, destination);
  }

  /** Undefined: as the allocation policy says. */
  destinationOf(spareIndex: number): number | undefined {
    return this.#destinations.get(spareIndex);
  }

  /** Of a spare that is being emptied: so many units live there now. */
  noteLeft(spareIndex: number, leftUnits: number): void {
    const { movedUnits } = this.#leaving.get(spareIndex) ?? NOTHING_MOVED;
    if (this.isLeaving(spareIndex)) this.#leaving.set(spareIndex, { movedUnits, leftUnits });
  }

  /** Of a spare that is being emptied: a unit has another place now. */
  noteMovedAway(spareIndex: number): void {
    const { movedUnits, leftUnits } = this.#leaving.get(spareIndex) ?? NOTHING_MOVED;
    const progress = { movedUnits: movedUnits + 1, leftUnits: Math.max(0, leftUnits - 1) };
    if (this.isLeaving(spareIndex)) this.#leaving.set(spareIndex, progress);
  }

  /** By spare that is being emptied, how far that is. */
  get leaving(): ReadonlyMap<number, LeavingProgress> {
    return this.#leaving;
  }

  isLeaving(spareIndex: number): boolean {
    return this.#leaving.has(spareIndex);
  }

  /** It is gone: nothing is placed on it before `resume`. */
  suspendUntilBack(spareIndex: number): void {
    this.#untilMs.set(spareIndex, Number.POSITIVE_INFINITY);
  }

  /** It is back from being gone. */
  resume(spareIndex: number): void {
    this.#refusals.delete(spareIndex);
    this.#untilMs.delete(spareIndex);
    this.#pauseMs.delete(spareIndex);
  }

  /** It did not take a unit, and fails as a whole. */
  noteRefusal(spareIndex: number, errno: number): void {
    this.#refusals.set(spareIndex, errno);
  }

  /**
   * By spare that took no unit when it was tried last, also where its pause is over since: with which errno. Nobody knows
   * better before the next bad sector.
   */
  get refusals(): ReadonlyMap<number, number> {
    return this.#refusals;
  }

  /** It took a unit: the next trouble is a new one. */
  noteWorking(spareIndex: number): void {
    if (this.#untilMs.get(spareIndex) !== Number.POSITIVE_INFINITY) this.resume(spareIndex);
  }
}

/** How far the emptying of a spare is. */
export interface LeavingProgress {
  /** Since it began. */
  readonly movedUnits: number;
  readonly leftUnits: number;
}

/** It does not answer, or it answers and refuses one unit after another: looking again would use them all up. */
export type SuspensionCause = 'silent' | 'refusing';

const NOTHING_MOVED: LeavingProgress = { movedUnits: 0, leftUnits: 0 };
/** A loose cable comes back within seconds; a dead spare is tried about once an hour. */
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 3_600_000;
/** One that was silent whenever it was tried for a minute is dead: each look at it may take as long as a drive takes to give up. */
const LONGEST_PAUSE_IN_DOUBT_MS = 64_000;
