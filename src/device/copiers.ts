import type { ColdContext } from '../engine/cold-context.js';
import type { CopyOrder } from '../engine/copy-order.js';
import { type CopyReport, type CopyRoom, copyRegion } from '../engine/copy-region.js';
import { copyWithoutMain } from '../engine/copy-without-main.js';
import type { Procedure } from '../engine/effect.js';
import { perform } from '../engine/effect.js';
import { REGION_BYTES } from '../engine/limits.js';
import type { EffectRunner } from './effect-runner.js';
import { flushReplacement } from './flush-replacement.js';

/** Copy region after region to the replacement of the main device, one in each room, until the order gives no more. */
export class Copiers {
  readonly #parts: CopiersParts;
  /** Those that one is at work with. */
  readonly #busyRooms = new Set<CopyRoom>();
  /** By region: units that could neither be read nor be remembered as lost. */
  readonly #unreadable = new Map<number, readonly number[]>();
  #awayCount = 0;
  #acceptsLoss = false;

  constructor(parts: CopiersParts) {
    this.#parts = parts;
  }

  /** One in each room; after a short pause some may not have ended yet. */
  start(): void {
    const { rooms, runner, ended } = this.#parts;
    for (const room of rooms) {
      if (this.#busyRooms.has(room)) continue;
      this.#busyRooms.add(room);
      runner.start(this.#copy(room), () => {
        this.#busyRooms.delete(room);
        if (this.areAtRest) ended();
      });
    }
  }

  get areAtRest(): boolean {
    return this.#busyRooms.size === 0;
  }

  /** A device of the set is away. */
  get areWaiting(): boolean {
    return this.#awayCount > 0;
  }

  get unreadableUnits(): readonly number[] {
    return [...this.#unreadable.values()].flat();
  }

  isUnreadable(region: number): boolean {
    return this.#unreadable.has(region);
  }

  /** What the main device alone holds counts as lost while it is gone. */
  acceptLoss(): void {
    this.#acceptsLoss = true;
  }

  get areAcceptingLoss(): boolean {
    return this.#acceptsLoss;
  }

  /** It is taken back, and what it holds counts again. */
  mainIsBack(): void {
    if (!this.#acceptsLoss) return;
    this.#acceptsLoss = false;
    const { mirror, filter, shape } = this.#parts.context;
    mirror.noteStale(filter, 0, shape.mainSizeBytes);
  }

  get areGivingUpMain(): boolean {
    return this.#acceptsLoss && this.#parts.context.breaker.stopsReads;
  }

  *pauseForAway(): Procedure<void> {
    this.#parts.noticedAway();
    this.#awayCount += 1;
    yield* perform({ kind: 'delay', delayMs: AWAY_PAUSE_MS });
    this.#awayCount -= 1;
  }

  *#copy(room: CopyRoom): Procedure<void> {
    const { context, order, isEnding, isPaused } = this.#parts;
    // Before anything is copied, so that all copiers have begun when the first one ends.
    yield* perform({ kind: 'delay', delayMs: 0 });
    while (!isEnding() && !isPaused()) {
      const region = order.take();
      if (region === -1) return;
      const report = yield* this.#copyPatiently(room, region);
      // By its first bytes it is known again after a power cut.
      if (region === 0 && report.outcome === 'copied') yield* flushReplacement(context);
      context.settled.noteCopied(region * REGION_BYTES);
      order.note(region, report.outcome === 'copied');
      if (report.unreadableUnits.length > 0) this.#unreadable.set(region, report.unreadableUnits);
      else this.#unreadable.delete(region);
    }
  }

  /** Waits for devices of the set that are away. */
  *#copyPatiently(room: CopyRoom, region: number): Procedure<CopyReport> {
    const { context, order, isEnding } = this.#parts;
    const effort = order.pass === 'thorough' ? 'thorough' : 'quick';
    for (;;) {
      // Whoever accepted what one outage costs has not accepted the next one's.
      if (!context.breaker.stopsReads) this.mainIsBack();
      const report = yield* this.areGivingUpMain
        ? copyWithoutMain(context, room, region, order.wasCopied(region))
        : this.#copyFromSet(room, region, effort);
      if (report.outcome !== 'away' || isEnding()) return report;
      yield* this.pauseForAway();
    }
  }

  *#copyFromSet(room: CopyRoom, region: number, effort: 'quick' | 'thorough'): Procedure<CopyReport> {
    const { context } = this.#parts;
    const report = yield* copyRegion(context, room, region, effort);
    if (report.outcome === 'copied') context.mirror.noteCopied(context.shape, region);
    return report;
  }
}

export interface CopiersParts {
  readonly context: ColdContext;
  readonly runner: EffectRunner;
  readonly order: CopyOrder;
  /** A copier for each; two at least. */
  readonly rooms: readonly CopyRoom[];
  /** Nothing is to be copied any more: they end where they are. */
  readonly isEnding: () => boolean;
  /** They end after their region. */
  readonly isPaused: () => boolean;
  /** The last one has ended. */
  readonly ended: () => void;
  /** A device of the set does not answer, and perhaps nobody else has noticed. */
  readonly noticedAway: () => void;
}

const AWAY_PAUSE_MS = 1000;
