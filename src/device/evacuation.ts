import type { ColdContext } from '../engine/cold-context.js';
import { CopyOrder, type CopyPass } from '../engine/copy-order.js';
import { type CopyReport, type CopyRoom, copyRegion } from '../engine/copy-region.js';
import { copyWithoutMain } from '../engine/copy-without-main.js';
import type { Procedure } from '../engine/effect.js';
import { perform, REPLACEMENT } from '../engine/effect.js';
import { REGION_BYTES } from '../engine/limits.js';
import type { MirrorFailure } from '../engine/mirror.js';
import { RegionFlag } from '../engine/region-filter.js';
import type { Scheduler } from '../ports/scheduler.js';
import { isStillCopied, settledRegions } from './copied-before.js';
import type { EffectRunner } from './effect-runner.js';
import type { PositionLog } from './position-log.js';
import { RepeatedTask } from './repeated-task.js';

/**
 * Fills a replacement of the main device while the set is at work, until it holds all that can be had; from then on, too,
 * what is written goes to both. It ends with `seal`, after which the replacement may take over, or with `cancel`. What both
 * hold is recorded every so often (`PositionLog`), so that it goes on from there after a crash.
 */
export class Evacuation {
  readonly #parts: EvacuationParts;
  readonly #order: CopyOrder;
  /** By region: units that could neither be read nor be remembered as lost. */
  readonly #unreadable = new Map<number, readonly number[]>();
  #state: EvacuationState = 'copying';
  /** Those that a copier is at work with. */
  readonly #busyRooms = new Set<CopyRoom>();
  #awayCount = 0;
  #isStopping = false;
  #acceptsLoss = false;
  #isPaused = false;
  /** Looks whether what is recorded is there still, or has that recorded no more. */
  #isPreparing = false;
  #isSettling = false;
  #beginning: CopyBeginning = 'start';
  #beginningBytes = 0;
  readonly #settleTask: RepeatedTask;
  readonly #afterStop: Array<() => void> = [];
  #isReleasing = false;

  constructor(parts: EvacuationParts) {
    this.#parts = parts;
    const { shape, filter, mirror } = parts.context;
    this.#order = new CopyOrder(shape.mainSizeBytes, filter);
    mirror.begin((stale) => this.#noticed(stale), this.#order);
    this.#settleTask = new RepeatedTask(parts.scheduler, (done) => this.#settle(done));
  }

  /** Call once. */
  begin(): void {
    const { position, copyId, runner, context, rooms } = this.#parts;
    this.#isPreparing = true;
    this.#settleTask.every(this.#parts.settlePeriodMs);
    if (!position.isOf(copyId) || !context.settled.isAnySettled) return position.drop(() => this.#prepared());
    runner.start(
      isStillCopied(context, rooms, () => this.#waitForAway()),
      (comparison) => {
        if (comparison === 'same') this.#goOnFromPosition();
        if (comparison !== 'differs') return this.#prepared();
        this.#beginning = 'differs';
        position.drop((isDropped) => {
          // Another process must not take it for what was copied by then.
          if (!isDropped) position.giveUp();
          this.#prepared();
        });
      },
    );
  }

  #prepared(): void {
    this.#isPreparing = false;
    if (this.#isStopping) return this.#stopped();
    this.#tell();
    if (!this.#isPaused) this.#startCopiers();
  }

  /** False: nobody waits any more. */
  *#waitForAway(): Procedure<boolean> {
    if (!this.#parts.context.mirror.isOn || this.#isStopping) return false;
    yield* this.#pauseForAway();
    return true;
  }

  #goOnFromPosition(): void {
    for (const region of settledRegions(this.#parts.context.settled)) this.#order.noteCopiedBefore(region);
    this.#beginning = 'position';
    this.#beginningBytes = this.#copiedBytes;
  }

  #settle(done: () => void): void {
    const { context, position, copyId } = this.#parts;
    if (!context.mirror.isOn || this.#isStopping || this.#isPreparing || this.#acceptsLoss) return done();
    this.#isSettling = true;
    position.settle(copyId, () => {
      this.#isSettling = false;
      done();
      this.#stopped();
    });
  }

  get progress(): EvacuationProgress {
    const { mirror, shape } = this.#parts.context;
    const unreadable = [...this.#unreadable.values()].flat();
    return {
      name: this.#parts.name,
      state: this.#state,
      pass: this.#isPreparing ? 'comparing' : this.#order.pass,
      copiedBytes: this.#copiedBytes,
      everCopiedBytes: Math.min(this.#order.everCopiedCount * REGION_BYTES, shape.mainSizeBytes),
      totalBytes: shape.mainSizeBytes,
      isWaiting: this.#awayCount > 0,
      isPaused: this.#isPaused,
      beginning: this.#beginning,
      beginningBytes: this.#beginningBytes,
      unreadableUnits: unreadable.length,
      firstUnreadableUnit: unreadable.length === 0 ? undefined : Math.min(...unreadable),
      failure: mirror.failure,
    };
  }

  get #copiedBytes(): number {
    return Math.min(this.#order.copiedCount * REGION_BYTES, this.#parts.context.shape.mainSizeBytes);
  }

  /** Nothing is read or written for it. */
  get isAtRest(): boolean {
    return this.#areCopiersAtRest && !this.#isSettling;
  }

  get #areCopiersAtRest(): boolean {
    return this.#busyRooms.size === 0 && !this.#isPreparing;
  }

  /** Ends it; `done` is called when nothing is in flight on the replacement any more. */
  cancel(done: () => void): void {
    this.#parts.context.mirror.end();
    this.#stop('cancelled', done);
  }

  /**
   * The main device is gone, and is not waited for until it is back: what it alone holds counts as lost, and of what was
   * copied at some time the replacement has the last word.
   */
  acceptLoss(): void {
    this.#acceptsLoss = true;
    this.tryAgain();
  }

  /**
   * The main device was taken back: what it holds counts again, also before it has answered. What went on without it is
   * looked at anew: the replacement had the last word, and may have what the main device has forgotten.
   */
  mainIsBack(): void {
    if (!this.#acceptsLoss) return;
    this.#acceptsLoss = false;
    const { mirror, filter, shape } = this.#parts.context;
    mirror.noteStale(filter, 0, shape.mainSizeBytes);
  }

  /** Tries once more what could neither be read nor be remembered as lost. */
  tryAgain(): void {
    if (this.#state !== 'incomplete') return;
    this.#state = 'copying';
    this.#order.beginAgain();
    this.#startCopiers();
  }

  /** While it copies: copiers end after their region, and none begins before `resume`; writes go to both all the time. */
  pause(): void {
    this.#isPaused = this.#state === 'copying';
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (!this.#isStopping && !this.#isPreparing) this.#startCopiers();
  }

  /** For a stop: copiers end where they are, and none begins; but writes go to both until the last one is answered. */
  stopCopying(): void {
    this.#isStopping = true;
    this.#settleTask.stop();
  }

  /**
   * The last call, when no request is in flight and none will come: makes the replacement durable. True: it holds what the
   * set holds, and may take over.
   */
  *seal(): Procedure<boolean> {
    const { mirror } = this.#parts.context;
    const isFilled = this.#state === 'copied' && mirror.isOn;
    const isComplete = isFilled && (this.#isGivingUpMain || mirror.takeStale().length === 0);
    if (isComplete) yield* this.#flush();
    const isSealed = isComplete && mirror.isOn;
    mirror.end();
    this.#settleTask.stop();
    return isSealed;
  }

  *#flush(): Procedure<void> {
    const result = yield* perform({ kind: 'flush', target: REPLACEMENT });
    if (result < 0)
      this.#parts.context.mirror.noteFailure({ operation: 'flush', offsetBytes: 0, errno: -result });
  }

  #tell(): void {
    this.#parts.report({ kind: 'evacuation', progress: this.progress });
  }

  #startCopiers(): void {
    for (const room of this.#parts.rooms) {
      // After a short pause some may not have ended yet.
      if (this.#busyRooms.has(room)) continue;
      this.#busyRooms.add(room);
      this.#parts.runner.start(this.#copy(room), () => {
        this.#busyRooms.delete(room);
        if (this.#areCopiersAtRest) this.#passEnded();
      });
    }
  }

  *#copy(room: CopyRoom): Procedure<void> {
    const { mirror, settled } = this.#parts.context;
    // Before anything is copied, so that all copiers have begun when the first one ends.
    yield* perform({ kind: 'delay', delayMs: 0 });
    while (mirror.isOn && !this.#isStopping && !this.#isPaused) {
      const region = this.#order.take();
      if (region === -1) return;
      const report = yield* this.#copyPatiently(room, region);
      // By its first bytes it is known again after a power cut.
      if (region === 0 && report.outcome === 'copied') yield* this.#flush();
      settled.noteCopied(region * REGION_BYTES);
      this.#order.note(region, report.outcome === 'copied');
      if (report.unreadableUnits.length > 0) this.#unreadable.set(region, report.unreadableUnits);
      else this.#unreadable.delete(region);
    }
  }

  /** Waits for devices of the set that are away. */
  *#copyPatiently(room: CopyRoom, region: number): Procedure<CopyReport> {
    const { context } = this.#parts;
    const effort = this.#order.pass === 'thorough' ? 'thorough' : 'quick';
    for (;;) {
      // Whoever accepted what one outage costs has not accepted the next one's.
      if (!context.breaker.stopsReads) this.mainIsBack();
      const report = yield* this.#isGivingUpMain
        ? copyWithoutMain(context, room, region, this.#order.wasCopied(region))
        : this.#copyFromSet(room, region, effort);
      if (report.outcome !== 'away' || !context.mirror.isOn || this.#isStopping) return report;
      yield* this.#pauseForAway();
    }
  }

  *#pauseForAway(): Procedure<void> {
    this.#parts.noticedAway();
    this.#awayCount += 1;
    yield* perform({ kind: 'delay', delayMs: AWAY_PAUSE_MS });
    this.#awayCount -= 1;
  }

  *#copyFromSet(room: CopyRoom, region: number, effort: 'quick' | 'thorough'): Procedure<CopyReport> {
    const { context } = this.#parts;
    const report = yield* copyRegion(context, room, region, effort);
    if (report.outcome === 'copied') context.mirror.noteCopied(context.shape, region);
    return report;
  }

  get #isGivingUpMain(): boolean {
    return this.#acceptsLoss && this.#parts.context.breaker.stopsReads;
  }

  #passEnded(): void {
    const { mirror } = this.#parts.context;
    if (!mirror.isOn || this.#isStopping) return this.#stopped();
    if (this.#isPaused) return;
    const stale = mirror.takeStale();
    for (const region of stale) this.#order.noteStale(region);
    if (this.#order.nextPass()) return this.#startCopiers();
    // What neither disk gives becomes stale with every attempt.
    const hasChanged = stale.some((region) => !this.#unreadable.has(region));
    if (hasChanged && !this.#order.isWhole) {
      // That round got what there was, and it has changed.
      this.#order.beginAgain();
      return this.#startCopiers();
    }
    this.#state = this.#order.isWhole ? 'copied' : 'incomplete';
    this.#tell();
  }

  #noticed(nowStale: readonly number[]): void {
    const { position, context } = this.#parts;
    const { mirror } = context;
    if (mirror.failure !== undefined) return this.#stop('failed', () => {});
    position.noteStale(nowStale);
    // While copiers are at work it is looked at when they have ended.
    if (!this.#areCopiersAtRest || this.#state === 'copying' || this.#isStopping) return;
    for (const region of mirror.takeStale()) this.#order.noteStale(region);
    if (this.#order.isWhole) return;
    this.#state = 'copying';
    this.#order.beginAgain();
    this.#startCopiers();
  }

  #stop(state: 'cancelled' | 'failed', done: () => void): void {
    this.#afterStop.push(done);
    const isFirst = this.#state !== 'cancelled' && this.#state !== 'failed';
    this.#state = state;
    this.stopCopying();
    this.#isPaused = false;
    if (isFirst) this.#tell();
    this.#stopped();
  }

  /** Once: a second release would let go of whatever is filled next. Who asks meanwhile waits for the one under way. */
  #stopped(): void {
    if (!this.isAtRest || this.#afterStop.length === 0 || this.#isReleasing) return;
    this.#isReleasing = true;
    const { runner, position, released, context } = this.#parts;
    const { filter, shape } = context;
    runner.start(this.#quiesce(), () =>
      position.drop(() => {
        filter.clear(0, shape.mainSizeBytes, RegionFlag.mirrored);
        released();
        for (const done of this.#afterStop) done();
      }),
    );
  }

  /**
   * What goes to both holds a lock, and nothing more does: where each unit was locked once, nothing is on its way. Not all
   * at the same time: the main device could not prove meanwhile that it takes writes.
   */
  *#quiesce(): Procedure<void> {
    const { shape } = this.#parts.context;
    const unitCount = Math.ceil(shape.mainSizeBytes / shape.unitBytes);
    const sectionUnits = Math.ceil(unitCount / RELEASE_SECTIONS);
    for (let firstUnit = 0; firstUnit < unitCount; firstUnit += sectionUnits) {
      const lastUnit = Math.min(firstUnit + sectionUnits, unitCount) - 1;
      const lockId = yield* perform({ kind: 'lock', firstUnit, lastUnit });
      yield* perform({ kind: 'unlock', lockId });
    }
  }
}

export interface EvacuationParts {
  readonly context: ColdContext;
  readonly runner: EffectRunner;
  readonly scheduler: Scheduler;
  readonly position: PositionLog;
  /** What both disks hold is recorded so often. */
  readonly settlePeriodMs: number;
  /** 16 bytes: of this copying, by whatever process. */
  readonly copyId: Uint8Array;
  /** A copier for each; two at least. */
  readonly rooms: readonly CopyRoom[];
  /** The replacement, for people. */
  readonly name: string;
  readonly report: (event: EvacuationEvent) => void;
  /** A device of the set does not answer, and perhaps nobody else has noticed. */
  readonly noticedAway: () => void;
  /** Nothing is in flight on the replacement any more, and nothing will be. */
  readonly released: () => void;
}

export type EvacuationState =
  | 'copying'
  /** The replacement holds all; lost blocks are in the map. */
  | 'copied'
  /** Some of it could not be read, and the spares have no room to remember that. */
  | 'incomplete'
  /** The replacement refused a write. */
  | 'failed'
  | 'cancelled';

/** `comparing`: whether the replacement still holds what was copied before. */
export type EvacuationPass = CopyPass | 'comparing';

export type CopyBeginning =
  /** Nothing of it was recorded, or it has just begun. */
  | 'start'
  /** An earlier process got so far. */
  | 'position'
  /** From the start: the disk does not hold any more what is recorded. */
  | 'differs';

export interface EvacuationProgress {
  /** Of the replacement. */
  readonly name: string;
  readonly state: EvacuationState;
  readonly pass: EvacuationPass;
  readonly copiedBytes: number;
  /** With what has become stale since, and is to be copied again. */
  readonly everCopiedBytes: number;
  readonly totalBytes: number;
  /** A device of the set is away; it goes on when that is back. */
  readonly isWaiting: boolean;
  /** Nothing is copied until somebody resumes it. */
  readonly isPaused: boolean;
  readonly beginning: CopyBeginning;
  /** Copied by an earlier process. */
  readonly beginningBytes: number;
  readonly unreadableUnits: number;
  readonly firstUnreadableUnit: number | undefined;
  readonly failure: MirrorFailure | undefined;
}

/** Its state is another one now. */
export interface EvacuationEvent {
  readonly kind: 'evacuation';
  readonly progress: EvacuationProgress;
}

const AWAY_PAUSE_MS = 1000;
const RELEASE_SECTIONS = 16;
