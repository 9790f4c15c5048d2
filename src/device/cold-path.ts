import { assert } from '../base/assert.js';
import { ERRNO } from '../base/errno.js';
import { beginChange } from '../engine/change-settled.js';
import type { ColdContext, Scratch } from '../engine/cold-context.js';
import { discardRange, zeroRange } from '../engine/cold-range.js';
import { readWithSalvage } from '../engine/cold-read.js';
import { type WriteManner, writeWithRelocation } from '../engine/cold-write.js';
import { Counter, count } from '../engine/counters.js';
import type { Procedure } from '../engine/effect.js';
import { perform } from '../engine/effect.js';
import { findGoneDevices } from '../engine/find-gone-devices.js';
import { mirrorWrite } from '../engine/mirror.js';
import type { ByteRange } from '../engine/segments.js';
import { WriteZeroesFlag } from '../ports/served-device.js';
import type { EffectRunner } from './effect-runner.js';
import type { GoneDevices } from './gone-devices.js';
import type { Outages } from './outages.js';
import type { RequestSlots } from './request-slots.js';
import { isDurable, Operation, Phase } from './slot-fields.js';

/** Requests that the hot path could not finish, each handled by one procedure; a bounded number at a time. */
export class ColdPath {
  readonly #parts: ColdPathParts;
  readonly #waiting: number[] = [];
  readonly #scratches: Scratch[];
  readonly #scratchCount: number;

  constructor(parts: ColdPathParts, scratches: readonly Scratch[]) {
    this.#parts = parts;
    this.#scratches = [...scratches];
    this.#scratchCount = scratches.length;
  }

  /** Takes a request that has no I/O in flight. */
  take(slot: number): void {
    assert(this.#parts.slots.phase[slot] === Phase.waiting, `slot ${slot} waits`);
    this.#waiting.push(slot);
    this.#pump();
  }

  get isIdle(): boolean {
    return this.#waiting.length === 0 && this.#scratches.length === this.#scratchCount;
  }

  #pump(): void {
    while (this.#waiting.length > 0 && this.#scratches.length > 0) {
      const slot = this.#waiting.shift()!;
      const scratch = this.#takeScratch();
      const begunBefore = this.#parts.outages.begunCount;
      this.#parts.runner.start(this.#attempt(slot, scratch), (errno) => {
        this.#conclude(slot, errno, begunBefore);
        this.#giveBack(scratch);
      });
    }
  }

  /** Where requests wait for devices, a failed one is not answered before it is clear whether one is gone. */
  *#attempt(slot: number, scratch: Scratch): Procedure<number> {
    const { context, outages } = this.#parts;
    const errno = yield* this.#procedureOf(slot, scratch);
    if (outages.holds && mayBeGone(errno)) yield* findGoneDevices(context, scratch);
    return errno;
  }

  #conclude(slot: number, errno: number, begunBefore: number): void {
    const { gone, outages } = this.#parts;
    if (!mayBeGone(errno)) return this.#answer(slot, errno);
    if (gone.takesFailed(slot, begunBefore)) return;
    if (!outages.holds) gone.suspectAll();
    this.#answer(slot, errno);
  }

  #procedureOf(slot: number, scratch: Scratch): Procedure<number> {
    const { context, slots } = this.#parts;
    const offsetBytes = slots.offsetBytes[slot]!;
    const lengthBytes = slots.lengthBytes[slot]!;
    const flags = slots.flags[slot]!;
    switch (slots.operation[slot]) {
      case Operation.read:
      case Operation.write:
        return this.#transfer(slot, scratch);
      case Operation.flush:
        return failedFlush();
      case Operation.discard:
        return discardRange(context, offsetBytes, lengthBytes);
      case Operation.writeZeroes:
        return zeroRange(context, scratch, offsetBytes, lengthBytes, {
          durable: isDurable(slots, slot),
          mayUnmap: (flags & WriteZeroesFlag.mayUnmap) !== 0,
          fastOnly: (flags & WriteZeroesFlag.fastOnly) !== 0,
        });
      default:
        assert(false, `operation ${slots.operation[slot]} has no cold path`);
    }
  }

  *#transfer(slot: number, scratch: Scratch): Procedure<number> {
    const { context, slots } = this.#parts;
    const offsetBytes = slots.offsetBytes[slot]!;
    const lengthBytes = slots.lengthBytes[slot]!;
    const { unitBytes } = context.shape;
    const firstUnit = Math.floor(offsetBytes / unitBytes);
    const lastUnit = Math.floor((offsetBytes + lengthBytes - 1) / unitBytes);
    const lockId = yield* perform({ kind: 'lock', firstUnit, lastUnit });
    slots.phase[slot] = Phase.cold;
    const range = { offsetBytes, lengthBytes, memoryOffset: slots.memoryOffset[slot]! };
    const durable = isDurable(slots, slot);
    const isWrite = slots.operation[slot] === Operation.write;
    const isUntried = slots.failed[slot] === 0;
    const errno = yield* isWrite
      ? this.#write(scratch, range, { durable, isUntried })
      : readWithSalvage(context, scratch, range);
    yield* perform({ kind: 'unlock', lockId });
    return errno;
  }

  /** On the set, and on a disk that it is copied to. */
  *#write(scratch: Scratch, range: ByteRange, manner: WriteManner): Procedure<number> {
    const { context } = this.#parts;
    const { offsetBytes, lengthBytes } = range;
    yield* beginChange(context, offsetBytes, lengthBytes);
    const errno = yield* writeWithRelocation(context, scratch, range, manner);
    if (errno === 0) yield* mirrorWrite(context, range);
    else context.mirror.noteFailedWrite(context, offsetBytes, lengthBytes);
    context.settled.endChange(offsetBytes, lengthBytes);
    return errno;
  }

  #answer(slot: number, errno: number): void {
    if (errno !== 0 && errno !== ERRNO.EOPNOTSUPP)
      count(this.#parts.context.counters, Counter.requestsFailed);
    this.#parts.answer(slot, errno);
  }

  #takeScratch(): Scratch {
    const scratch = this.#scratches.pop();
    assert(scratch !== undefined, 'a scratch is free');
    return scratch;
  }

  #giveBack(scratch: Scratch): void {
    this.#scratches.push(scratch);
    this.#pump();
  }
}

/** Nobody knows what a flush that failed has lost, so it is not tried again while its device is there. */
// biome-ignore lint/correctness/useYield: it has nothing to ask for
function* failedFlush(): Procedure<number> {
  return ERRNO.EIO;
}

/** What requests fail with when a device is gone; ENOSPC is what a disk that has vanished says to a write. */
function mayBeGone(errno: number): boolean {
  return errno === ERRNO.EIO || errno === ERRNO.ENOSPC;
}

export interface ColdPathParts {
  readonly context: ColdContext;
  readonly slots: RequestSlots;
  readonly runner: EffectRunner;
  readonly outages: Outages;
  readonly gone: Pick<GoneDevices, 'takesFailed' | 'suspectAll'>;
  readonly answer: (slot: number, errno: number) => void;
}
