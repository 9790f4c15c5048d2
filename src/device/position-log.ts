import { assert } from '../base/assert.js';
import type { ColdContext } from '../engine/cold-context.js';
import {
  type Effect,
  MAIN,
  type Procedure,
  perform,
  performAll,
  REPLACEMENT,
  spareTarget,
} from '../engine/effect.js';
import { flushFailureTotal } from '../engine/flush-all.js';
import { RegionFlag } from '../engine/region-filter.js';
import type { CopyPosition } from '../format/copy-position.js';
import { sameUuid } from '../format/set-id.js';
import type { Scheduler } from '../ports/scheduler.js';
import type { EffectRunner } from './effect-runner.js';
import type { MetadataWork, MetadataWriter } from './metadata-writer.js';
import { writeSuperblock } from './write-superblock.js';

/**
 * Keeps in the superblock which parts of the main device are settled on the disk that everything is copied to
 * (`CopyPosition`): recorded when both disks have flushed them, and taken back before anything changes there, whether that
 * disk is being filled just now or is away since a crash.
 */
export class PositionLog {
  readonly #parts: PositionLogParts;
  /** Of what is or may be recorded. */
  #copyId: Uint8Array | undefined;
  /** Parts to be taken back with the next update. */
  readonly #changing = new Set<number>();
  #isGivenUp = false;

  constructor(parts: PositionLogParts) {
    this.#parts = parts;
    this.#copyId = parts.recorded?.copyId;
    this.#flag();
  }

  /** Something may be recorded, of this copying. */
  isOf(copyId: Uint8Array): boolean {
    return this.#copyId !== undefined && !this.#isGivenUp && sameUuid(this.#copyId, copyId);
  }

  /** Records what both disks hold, and have flushed. `done` is called when it is recorded, or could not be. */
  settle(copyId: Uint8Array, done: () => void): void {
    if (this.#copyId !== undefined && !this.isOf(copyId)) return this.drop(done);
    const { settled, breaker, isMainReadOnly } = this.#parts.context;
    // A flush that can't succeed would count as one that failed.
    const canFlush = isMainReadOnly || !breaker.isOpen;
    const parts = canFlush ? settled.quietParts((part) => this.#isHeld(part)) : [];
    if (parts.length === 0) return done();
    this.#parts.runner.start(this.#flush(), (isDurable) => {
      if (!isDurable) return done();
      this.#parts.metadata().run((work) => this.#record(work, copyId, parts), done);
    });
  }

  /** Before these parts change. `done` is called when they may: that is recorded, or the position is given up. */
  unsettle(parts: readonly number[], done: (result: number) => void): void {
    this.#takeBack(parts, UNSETTLE_ATTEMPTS, done);
  }

  /** Nothing that is recorded is of use any more. `done` is called when that is recorded, or could not be. */
  drop(done: () => void): void {
    if (this.#copyId === undefined) return done();
    this.#parts.metadata().run(
      (work) => writeSuperblock(work, { copyPosition: undefined }),
      (errno) => {
        if (errno === 0) {
          this.#copyId = undefined;
          this.#isGivenUp = false;
          this.#unsettleNow(this.#parts.context.settled.allSettled());
        }
        done();
      },
    );
  }

  /** Nothing is copied any more: only what is recorded still has writes go the way that takes it back. */
  noteEnded(): void {
    const { filter, shape } = this.#parts.context;
    filter.clear(0, shape.mainSizeBytes, RegionFlag.mirrored);
    this.#flag();
  }

  #flag(): void {
    const { settled, filter } = this.#parts.context;
    for (const part of settled.allSettled()) {
      const { offsetBytes, lengthBytes } = settled.rangeOf(part);
      filter.set(offsetBytes, lengthBytes, RegionFlag.mirrored);
    }
  }

  /** The replacement holds it, and no crash can change what the set holds there. */
  #isHeld(part: number): boolean {
    const { settled, mirror, filter } = this.#parts.context;
    const { offsetBytes, lengthBytes } = settled.rangeOf(part);
    const isDoubtful = filter.hasAny(offsetBytes, lengthBytes, RegionFlag.doubtful);
    return !isDoubtful && mirror.holds(offsetBytes, lengthBytes);
  }

  *#flush(): Procedure<boolean> {
    const { context } = this.#parts;
    const failuresBefore = flushFailureTotal(context);
    const replaced = yield* perform({ kind: 'flush', target: REPLACEMENT });
    if (replaced < 0) {
      context.mirror.noteFailure({ operation: 'flush', offsetBytes: 0, errno: -replaced });
      return false;
    }
    const spares = [...context.shape.spares.keys()].map(spareTarget).filter(context.isDirty);
    const targets = context.isMainReadOnly ? spares : [MAIN, ...spares];
    const results = yield* performAll(targets.map((target): Effect => ({ kind: 'flush', target })));
    return results.every((result) => result >= 0) && flushFailureTotal(context) === failuresBefore;
  }

  *#record(work: MetadataWork, copyId: Uint8Array, parts: readonly number[]): Procedure<void> {
    const { settled, mirror } = this.#parts.context;
    if (!mirror.isOn) return;
    const durable = parts.filter((part) => settled.isUnchanged(part) && this.#isHeld(part));
    if (durable.length === 0) return;
    // Whatever becomes of this update: what is to change from now on waits until it is taken back.
    this.#copyId = copyId;
    settled.settle(durable);
    yield* writeSuperblock(work, { copyPosition: this.#position([]) });
  }

  #takeBack(parts: readonly number[], attempts: number, done: (result: number) => void): void {
    const { settled } = this.#parts.context;
    if (!parts.some((part) => settled.isSettled(part))) return done(0);
    for (const part of parts) this.#changing.add(part);
    this.#parts.metadata().run(
      (work) => this.#recordChanging(work),
      (errno) => {
        if (errno === 0) return done(0);
        if (attempts === 1) {
          this.#giveUp();
          return done(0);
        }
        this.#parts.scheduler.after(UNSETTLE_RETRY_MS, () => this.#takeBack(parts, attempts - 1, done));
      },
    );
  }

  /** Two updates, so that the one before does not count either, whatever happens to the last one. */
  *#recordChanging(work: MetadataWork): Procedure<number> {
    const parts = [...this.#changing].filter((part) => this.#parts.context.settled.isSettled(part));
    this.#changing.clear();
    if (parts.length === 0) return 0;
    const errno = yield* writeSuperblock(work, { copyPosition: this.#position(parts) });
    const again = errno === 0 ? yield* writeSuperblock(work, {}) : errno;
    if (again === 0) this.#unsettleNow(parts);
    return again;
  }

  #unsettleNow(parts: readonly number[]): void {
    const { settled, mirror, filter } = this.#parts.context;
    settled.unsettle(parts);
    if (mirror.isOn) return;
    for (const part of parts) {
      const { offsetBytes, lengthBytes } = settled.rangeOf(part);
      filter.clear(offsetBytes, lengthBytes, RegionFlag.mirrored);
    }
  }

  /** No write waits for ever because the spares take none: who remembers the copying has to forget its number. */
  #giveUp(): void {
    this.#isGivenUp = true;
    this.#unsettleNow(this.#parts.context.settled.allSettled());
    this.#parts.report({ kind: 'copyPositionLost' });
  }

  #position(without: readonly number[]): CopyPosition {
    const { settled } = this.#parts.context;
    assert(this.#copyId !== undefined, 'what is settled is so on a disk');
    return { copyId: this.#copyId, partBytes: settled.partBytes, settled: settled.bitsWithout(without) };
  }
}

export interface PositionLogParts {
  readonly context: ColdContext;
  readonly runner: EffectRunner;
  readonly scheduler: Scheduler;
  readonly metadata: () => MetadataWriter;
  /** When the set was opened. */
  readonly recorded: CopyPosition | undefined;
  readonly report: (event: CopyPositionLostEvent) => void;
}

/** The spares could not be written: after a crash the copying begins from the start. */
export interface CopyPositionLostEvent {
  readonly kind: 'copyPositionLost';
}

/** A spare that is gone for longer does not hold up writes. */
const UNSETTLE_ATTEMPTS = 10;
const UNSETTLE_RETRY_MS = 1000;
