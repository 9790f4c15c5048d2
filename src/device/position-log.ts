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
import { REGION_BYTES } from '../engine/limits.js';
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
  /** Of a copying whose position was given up; nothing is recorded of it any more. */
  #lostCopyId: Uint8Array | undefined;
  /** Who waits until parts are taken back. */
  #waiting: WaitingChange[] = [];
  #isTakingBack = false;
  /** A flush for it has failed: nothing more is recorded until `flushAgain`. */
  #hasFailedToFlush = false;

  constructor(parts: PositionLogParts) {
    this.#parts = parts;
    this.#copyId = parts.recorded?.copyId;
    const { settled, filter } = parts.context;
    for (const part of settled.allSettled()) {
      const { offsetBytes, lengthBytes } = settled.rangeOf(part);
      filter.set(offsetBytes, lengthBytes, RegionFlag.mirrored);
    }
  }

  /** Something may be recorded, of this copying. */
  isOf(copyId: Uint8Array): boolean {
    return isSame(this.#copyId, copyId) && !isSame(this.#lostCopyId, copyId);
  }

  /** A copying begins, or the main device is back: flushes may work. */
  flushAgain(): void {
    this.#hasFailedToFlush = false;
  }

  /** Records what both disks hold, and have flushed. `done` is called when it is recorded, or could not be. */
  settle(copyId: Uint8Array, done: () => void): void {
    const { settled } = this.#parts.context;
    const isOther = this.#copyId !== undefined && !this.isOf(copyId);
    if (isOther || isSame(this.#lostCopyId, copyId)) return this.drop(() => done());
    const parts = this.#canFlush ? settled.quietParts((part) => this.#isHeld(part)) : [];
    if (parts.length === 0) return done();
    this.#parts.runner.start(this.#flush(), (isDurable) => {
      if (!isDurable) return done();
      this.#parts.metadata().run((work) => this.#record(work, copyId, parts), done);
    });
  }

  /**
   * Before these parts change. `done` is called when they may: that is recorded, or, where it can't be in time, the position
   * is given up.
   */
  unsettle(parts: readonly number[], done: (result: number) => void): void {
    const { settled } = this.#parts.context;
    if (!parts.some((part) => settled.isSettled(part))) return done(0);
    const change = { parts, done };
    this.#waiting.push(change);
    this.#parts.scheduler.after(UNSETTLE_PATIENCE_MS, () => {
      if (this.#waiting.includes(change)) this.giveUp();
    });
    if (!this.#isTakingBack) this.#takeBack();
  }

  /** These regions are to be copied again. */
  noteStale(regions: readonly number[]): void {
    const { settled } = this.#parts.context;
    const parts = new Set<number>();
    for (const region of regions) {
      settled.noteCopied(region * REGION_BYTES);
      for (const part of settled.settledIn(region * REGION_BYTES, 1)) parts.add(part);
    }
    if (parts.size > 0) this.unsettle([...parts], () => {});
  }

  /**
   * Nothing that is recorded is of use any more. `done` hears whether that is recorded: in two updates, so that the one
   * before does not count either.
   */
  drop(done: (isDropped: boolean) => void): void {
    if (this.#copyId === undefined) return done(true);
    const metadata = this.#parts.metadata();
    metadata.dropsCopyPosition = true;
    metadata.run(writeTwice, (errno) => {
      // Not before: until then what is recorded must stay true.
      this.#unsettleAll();
      if (errno === 0) {
        this.#copyId = undefined;
        metadata.dropsCopyPosition = false;
      }
      done(errno === 0);
    });
  }

  /** As `drop`. Where that can't be recorded another process must not take it for what was copied by then: it is given up. */
  forget(done: () => void): void {
    this.drop((isDropped) => {
      if (!isDropped) this.giveUp();
      done();
    });
  }

  /**
   * No write waits for ever because the spares take none. What they say from now on is wrong, so that who remembers the
   * copying has to forget its number.
   */
  giveUp(): void {
    this.#lostCopyId = this.#copyId;
    this.#parts.metadata().dropsCopyPosition = true;
    this.#unsettleAll();
    this.#parts.report({ kind: 'copyPositionLost' });
  }

  /**
   * A flush that can't succeed would count as one that failed, after which all is copied again: where one did, as on a disk
   * that fails them all, the copying would never end.
   */
  get #canFlush(): boolean {
    if (this.#hasFailedToFlush) return false;
    const { breaker, isMainReadOnly, isGone } = this.#parts.context;
    return (isMainReadOnly || !breaker.isOpen) && !this.#dirtySpares.some(isGone);
  }

  get #dirtySpares(): readonly number[] {
    const { shape, isDirty } = this.#parts.context;
    return [...shape.spares.keys()].map(spareTarget).filter(isDirty);
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
    if (!this.#canFlush) return false;
    const targets = context.isMainReadOnly ? this.#dirtySpares : [MAIN, ...this.#dirtySpares];
    const results = yield* performAll(targets.map((target): Effect => ({ kind: 'flush', target })));
    this.#hasFailedToFlush = results.some((result) => result < 0);
    if (this.#hasFailedToFlush) return false;
    return flushFailureTotal(context) === failuresBefore;
  }

  *#record(work: MetadataWork, copyId: Uint8Array, parts: readonly number[]): Procedure<void> {
    const { settled, mirror } = this.#parts.context;
    if (!mirror.isOn || isSame(this.#lostCopyId, copyId)) return;
    const durable = parts.filter((part) => settled.isUnchanged(part) && this.#isHeld(part));
    if (durable.length === 0) return;
    // Whatever becomes of this update: what is to change from now on waits until it is taken back.
    this.#copyId = copyId;
    settled.settle(durable);
    yield* writeSuperblock(work, { copyPosition: this.#position([]) });
  }

  /** Until nobody waits. */
  #takeBack(): void {
    this.#isTakingBack = true;
    this.#parts.metadata().run(
      (work) => this.#recordChanging(work),
      (errno) => {
        this.#letChange();
        if (this.#waiting.length === 0) this.#isTakingBack = false;
        else this.#parts.scheduler.after(errno === 0 ? 0 : UNSETTLE_RETRY_MS, () => this.#takeBack());
      },
    );
  }

  *#recordChanging(work: MetadataWork): Procedure<number> {
    const { settled } = this.#parts.context;
    const wanted = new Set(this.#waiting.flatMap(({ parts }) => parts));
    const parts = [...wanted].filter((part) => settled.isSettled(part));
    if (parts.length === 0) return 0;
    const errno = yield* writeTwice(work, { copyPosition: this.#position(parts) });
    if (errno === 0) this.#unsettleNow(parts);
    return errno;
  }

  #letChange(): void {
    const { settled } = this.#parts.context;
    const isSettled = (part: number): boolean => settled.isSettled(part);
    const free = this.#waiting.filter(({ parts }) => !parts.some(isSettled));
    this.#waiting = this.#waiting.filter(({ parts }) => parts.some(isSettled));
    for (const { done } of free) done(0);
  }

  #unsettleAll(): void {
    this.#unsettleNow(this.#parts.context.settled.allSettled());
    this.#letChange();
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

interface WaitingChange {
  readonly parts: readonly number[];
  readonly done: (result: number) => void;
}

/** So that the superblock before does not count either, whatever happens to the last one. */
function* writeTwice(
  work: MetadataWork,
  fields: Parameters<typeof writeSuperblock>[1] = {},
): Procedure<number> {
  const errno = yield* writeSuperblock(work, fields);
  return errno === 0 ? yield* writeSuperblock(work, {}) : errno;
}

function isSame(one: Uint8Array | undefined, other: Uint8Array): boolean {
  return one !== undefined && sameUuid(one, other);
}

/** A spare that does not answer, or takes no writes, does not hold up writes for longer. */
const UNSETTLE_PATIENCE_MS = 10_000;
const UNSETTLE_RETRY_MS = 1000;
