import type { ColdContext } from '../engine/cold-context.js';
import { CopyOrder } from '../engine/copy-order.js';
import type { CopyRoom } from '../engine/copy-region.js';
import type { Procedure } from '../engine/effect.js';
import { REGION_BYTES } from '../engine/limits.js';
import { RegionFlag } from '../engine/region-filter.js';
import type { Scheduler } from '../ports/scheduler.js';
import { isStillCopied, settledRegions } from './copied-before.js';
import { Copiers } from './copiers.js';
import type { EffectRunner } from './effect-runner.js';
import type {
  CopyBeginning,
  EvacuationEvent,
  EvacuationProgress,
  EvacuationState,
} from './evacuation-progress.js';
import { flushReplacement } from './flush-replacement.js';
import { lockAllOnce } from './lock-all-once.js';
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
  readonly #copiers: Copiers;
  #state: EvacuationState = 'copying';
  #isStopping = false;
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
    this.#copiers = this.#newCopiers();
    mirror.begin((stale) => this.#noticed(stale), this.#order);
    this.#settleTask = new RepeatedTask(parts.scheduler, (done) => this.#settle(done));
  }

  #newCopiers(): Copiers {
    const { context, runner, rooms, noticedAway } = this.#parts;
    return new Copiers({
      ...{ context, runner, rooms, noticedAway, order: this.#order },
      isEnding: () => !context.mirror.isOn || this.#isStopping,
      isPaused: () => this.#isPaused,
      ended: () => this.#passEnded(),
    });
  }

  /** Call once. */
  begin(): void {
    const { position, copyId, runner, context, rooms } = this.#parts;
    this.#isPreparing = true;
    position.flushAgain();
    this.#settleTask.every(this.#parts.settlePeriodMs);
    if (!position.isOf(copyId) || !context.settled.isAnySettled) return position.drop(() => this.#prepared());
    runner.start(
      isStillCopied(context, rooms, () => this.#waitForAway()),
      (comparison) => {
        if (comparison === 'same') this.#goOnFromPosition();
        if (comparison !== 'differs') return this.#prepared();
        this.#beginning = 'differs';
        position.forget(() => this.#prepared());
      },
    );
  }

  #prepared(): void {
    this.#isPreparing = false;
    if (this.#isStopping) return this.#stopped();
    this.#tell();
    if (!this.#isPaused) this.#copiers.start();
  }

  /** False: nobody waits any more. */
  *#waitForAway(): Procedure<boolean> {
    if (!this.#parts.context.mirror.isOn || this.#isStopping) return false;
    yield* this.#copiers.pauseForAway();
    return true;
  }

  #goOnFromPosition(): void {
    for (const region of settledRegions(this.#parts.context.settled)) this.#order.noteCopiedBefore(region);
    this.#beginning = 'position';
    this.#beginningBytes = this.#copiedBytes;
  }

  #settle(done: () => void): void {
    const { context, position, copyId } = this.#parts;
    if (!context.mirror.isOn || this.#isStopping || this.#isPreparing || this.#copiers.areAcceptingLoss)
      return done();
    this.#isSettling = true;
    position.settle(copyId, () => {
      this.#isSettling = false;
      done();
      this.#stopped();
    });
  }

  get progress(): EvacuationProgress {
    const { mirror, shape } = this.#parts.context;
    const unreadable = this.#copiers.unreadableUnits;
    return {
      name: this.#parts.name,
      state: this.#state,
      pass: this.#isPreparing ? 'comparing' : this.#order.pass,
      copiedBytes: this.#copiedBytes,
      everCopiedBytes: Math.min(this.#order.everCopiedCount * REGION_BYTES, shape.mainSizeBytes),
      totalBytes: shape.mainSizeBytes,
      isWaiting: this.#copiers.areWaiting,
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
    return this.#copiers.areAtRest && !this.#isPreparing;
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
    this.#copiers.acceptLoss();
    this.tryAgain();
  }

  /**
   * The main device was taken back: what it holds counts again, also before it has answered. What went on without it is
   * looked at anew: the replacement had the last word, and may have what the main device has forgotten.
   */
  mainIsBack(): void {
    this.#parts.position.flushAgain();
    this.#copiers.mainIsBack();
  }

  /** Tries once more what could neither be read nor be remembered as lost. */
  tryAgain(): void {
    if (this.#state !== 'incomplete') return;
    this.#state = 'copying';
    this.#order.beginAgain();
    this.#copiers.start();
  }

  /** While it copies: copiers end after their region, and none begins before `resume`; writes go to both all the time. */
  pause(): void {
    this.#isPaused = this.#state === 'copying';
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (!this.#isStopping && !this.#isPreparing) this.#copiers.start();
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
    const isComplete = isFilled && (this.#copiers.areGivingUpMain || mirror.takeStale().length === 0);
    if (isComplete) yield* flushReplacement(this.#parts.context);
    const isSealed = isComplete && mirror.isOn;
    mirror.end();
    this.#settleTask.stop();
    return isSealed;
  }

  #tell(): void {
    this.#parts.report({ kind: 'evacuation', progress: this.progress });
  }

  #passEnded(): void {
    const { mirror } = this.#parts.context;
    if (!mirror.isOn || this.#isStopping) return this.#stopped();
    if (this.#isPaused) return;
    const stale = mirror.takeStale();
    for (const region of stale) this.#order.noteStale(region);
    if (this.#order.nextPass()) return this.#copiers.start();
    // What neither disk gives becomes stale with every attempt.
    const hasChanged = stale.some((region) => !this.#copiers.isUnreadable(region));
    if (hasChanged && !this.#order.isWhole) {
      // That round got what there was, and it has changed.
      this.#order.beginAgain();
      return this.#copiers.start();
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
    this.#copiers.start();
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
    runner.start(lockAllOnce(shape), () =>
      position.forget(() => {
        filter.clear(0, shape.mainSizeBytes, RegionFlag.mirrored);
        released();
        for (const done of this.#afterStop) done();
      }),
    );
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
