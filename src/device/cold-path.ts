import { assert } from '../base/assert.js';
import { ERRNO } from '../base/errno.js';
import type { ColdContext, Scratch } from '../engine/cold-context.js';
import { discardRange, zeroRange } from '../engine/cold-range.js';
import { readWithSalvage } from '../engine/cold-read.js';
import { writeWithRelocation } from '../engine/cold-write.js';
import { Counter, count } from '../engine/counters.js';
import type { Procedure } from '../engine/effect.js';
import { perform } from '../engine/effect.js';
import { tryDeviceAgain } from '../engine/probe.js';
import type { Scheduler } from '../ports/scheduler.js';
import { WriteZeroesFlag } from '../ports/served-device.js';
import type { EffectRunner } from './effect-runner.js';
import type { RequestSlots } from './request-slots.js';
import { Operation, Phase } from './slot-fields.js';

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

  /** A request met the open breaker: fail it, and now and then see whether the device is back. */
  failByBreaker(slot: number): void {
    this.#answer(slot, ERRNO.EIO);
    this.#tryDeviceAgain();
  }

  #tryDeviceAgain(): void {
    const { context, runner, scheduler } = this.#parts;
    if (this.#scratches.length === 0 || !context.breaker.takeTrial(scheduler.nowMs())) return;
    const scratch = this.#takeScratch();
    runner.start(tryDeviceAgain(context, scratch), () => this.#giveBack(scratch));
  }

  get isIdle(): boolean {
    return this.#waiting.length === 0 && this.#scratches.length === this.#scratchCount;
  }

  #pump(): void {
    while (this.#waiting.length > 0 && this.#scratches.length > 0) {
      const slot = this.#waiting.shift()!;
      const scratch = this.#takeScratch();
      this.#parts.runner.start(this.#procedureOf(slot, scratch), (errno) => {
        this.#answer(slot, errno);
        this.#giveBack(scratch);
        if (errno === ERRNO.EIO) this.#tryDeviceAgain();
      });
    }
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
      case Operation.discard:
        return discardRange(context, offsetBytes, lengthBytes);
      case Operation.writeZeroes:
        return zeroRange(context, scratch, offsetBytes, lengthBytes, {
          durable: (flags & WriteZeroesFlag.durable) !== 0,
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
    const durable = (slots.flags[slot]! & WriteZeroesFlag.durable) !== 0;
    const errno = yield* slots.operation[slot] === Operation.read
      ? readWithSalvage(context, scratch, range)
      : writeWithRelocation(context, scratch, range, durable);
    yield* perform({ kind: 'unlock', lockId });
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

export interface ColdPathParts {
  readonly context: ColdContext;
  readonly slots: RequestSlots;
  readonly runner: EffectRunner;
  readonly scheduler: Scheduler;
  readonly answer: (slot: number, errno: number) => void;
}
