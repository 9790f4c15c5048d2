import { assert } from '../base/assert.js';
import { ERRNO } from '../base/errno.js';
import type { ColdContext } from '../engine/cold-context.js';
import { Counter } from '../engine/counters.js';
import { MAIN } from '../engine/effect.js';
import { RegionFlag } from '../engine/region-filter.js';
import { planRequest } from '../engine/request-plan.js';
import type { BlockStore } from '../ports/block-store.js';
import { isRequestBuffer } from '../ports/io-memory.js';
import { NEEDS_MEMORY, WriteZeroesFlag } from '../ports/served-device.js';
import { AnswerQueue } from './answer-queue.js';
import type { DirtySpares } from './dirty-spares.js';
import type { Outages } from './outages.js';
import type { RequestSlots } from './request-slots.js';
import { haveFua } from './served-geometry.js';
import { isDurable, Operation, Phase } from './slot-fields.js';
import { Transfers } from './transfers.js';
import { uncountTransfer } from './uncount-transfer.js';
import type { UnitLocks } from './unit-locks.js';
import type { WrittenSamples } from './written-samples.js';

/**
 * The hot path: a request on healthy units is one look at the region filter and one I/O with the slot number as its
 * ticket. Requests on remapped units are planned into runs that go out together. Everything else (an error, a lost
 * block, a range operation) is handed to the cold path. Allocates nothing per request.
 */
export class RequestQueue {
  readonly #parts: QueueParts;
  readonly #slots: RequestSlots;
  readonly #transfers: Transfers;
  readonly #answers: AnswerQueue;
  readonly #haveFua: boolean;
  /** Slots that ran into a locked range. */
  #blocked: number[] = [];
  /** Slots that found too few runs free. */
  #starved: number[] = [];

  constructor(parts: QueueParts) {
    this.#parts = parts;
    this.#slots = parts.slots;
    const { breaker, counters } = parts.context;
    this.#transfers = new Transfers({ ...parts, breaker, counters });
    this.#answers = new AnswerQueue(parts.slots, parts.wantPoll);
    this.#haveFua = haveFua(parts.stores);
  }

  /** Delivers what was decided without I/O; call once per turn. True if there may be more. */
  poll(): boolean {
    if (this.#starved.length > 0) this.#restart(this.#starved.splice(0));
    return this.#answers.deliver();
  }

  read(slot: number, offsetBytes: number, lengthBytes: number, memoryOffset: number): boolean {
    const { counters } = this.#parts.context;
    counters[Counter.reads]! += 1;
    counters[Counter.readBytes]! += lengthBytes;
    this.#slots.begin(slot, Operation.read, offsetBytes, lengthBytes, memoryOffset, 0);
    return this.#startTransfer(slot);
  }

  write(
    slot: number,
    offsetBytes: number,
    lengthBytes: number,
    memoryOffset: number,
    durable: boolean,
  ): boolean {
    const { counters } = this.#parts.context;
    counters[Counter.writes]! += 1;
    counters[Counter.writtenBytes]! += lengthBytes;
    if (this.#parts.written !== undefined) this.#parts.written.noteWrite(offsetBytes, lengthBytes);
    const flags = durable ? WriteZeroesFlag.durable : WriteZeroesFlag.none;
    this.#slots.begin(slot, Operation.write, offsetBytes, lengthBytes, memoryOffset, flags);
    return this.#startTransfer(slot);
  }

  flush(slot: number): void {
    this.#parts.context.counters[Counter.flushes]! += 1;
    this.#slots.begin(slot, Operation.flush, 0, 0, 0, 0);
    this.#startFlush(slot);
  }

  /** Starts a read, write or flush that was begun in its slot. */
  start(slot: number): void {
    if (this.#slots.operation[slot] === Operation.flush) this.#startFlush(slot);
    else this.#startTransfer(slot);
  }

  /** An I/O of a request has completed. */
  complete(ticket: number, result: number): void {
    const slot = this.#transfers.completed(ticket, result);
    if (slot !== -1) this.#ended(slot);
  }

  /** A lock was given back: starts again what ran into one. */
  retryBlocked(): void {
    if (this.#blocked.length > 0) this.#restart(this.#blocked.splice(0));
  }

  /** Begins a request anew that has nothing in flight. */
  begin(slot: number): void {
    this.#slots.failed[slot] = 0;
    const operation = this.#slots.operation[slot];
    if (operation === Operation.discard || operation === Operation.writeZeroes) this.#parts.goCold(slot);
    else this.start(slot);
  }

  /** An answer that was found without I/O, or by the cold path. Delivered in the next turn. */
  answer(slot: number, errno: number): void {
    this.#answers.push(slot, errno);
  }

  #restart(waiting: readonly number[]): void {
    for (const slot of waiting) this.start(slot);
  }

  /** Whether it is one I/O on healthy units. */
  #startTransfer(slot: number): boolean {
    const { context } = this.#parts;
    const offsetBytes = this.#slots.offsetBytes[slot]!;
    const lengthBytes = this.#slots.lengthBytes[slot]!;
    const isPlain = context.filter.isPlain(offsetBytes, lengthBytes);
    if (isPlain && !this.#isFlushedInTurn(slot)) return this.#startWhole(slot);
    this.#startPlanned(slot, offsetBytes, lengthBytes);
    return false;
  }

  #startWhole(slot: number): boolean {
    if (this.#isStopped(slot)) {
      this.#parts.turnAway(slot, MAIN);
      return false;
    }
    this.#slots.phase[slot] = Phase.inFlight;
    this.#transfers.sendWhole(slot);
    return true;
  }

  #startPlanned(slot: number, offsetBytes: number, lengthBytes: number): void {
    const { context, locks, turnAway } = this.#parts;
    const { filter, shape, table } = context;
    const { plan } = this.#transfers;
    if (
      filter.hasAny(offsetBytes, lengthBytes, RegionFlag.locked) &&
      locks.blocks(offsetBytes, lengthBytes)
    ) {
      this.#blocked.push(slot);
      return;
    }
    const isWrite = this.#slots.operation[slot] === Operation.write;
    planRequest(shape, table, filter, offsetBytes, lengthBytes, plan);
    assert(!plan.overflow, 'a plan holds every run of the largest request');
    if (!isWrite && plan.firstLostOffsetBytes !== -1) {
      if (context.lostReadsAsZero) return this.#toCold(slot);
      context.counters[Counter.requestsFailed]! += 1;
      return this.answer(slot, ERRNO.EIO);
    }
    const shut = this.#shutTargetOfPlan(slot);
    // A replacement that is being filled has it, perhaps.
    if (shut !== -1 && !isWrite && context.mirror.holds(offsetBytes, lengthBytes)) return this.#toCold(slot);
    // Before the cold path is asked, which can't know that nothing of a write has reached a disk.
    if (shut !== -1) return turnAway(slot, shut);
    if (isWrite && this.#isColdWrite(slot, offsetBytes, lengthBytes)) return this.#toCold(slot);
    if (plan.count > this.#transfers.freeRunCount) {
      this.#starved.push(slot);
      return;
    }
    this.#slots.phase[slot] = Phase.inFlight;
    this.#transfers.sendPlanned(slot);
  }

  /** Of the write that was planned last. */
  #isColdWrite(slot: number, offsetBytes: number, lengthBytes: number): boolean {
    if (this.#transfers.plan.firstLostOffsetBytes !== -1 || this.#isFlushedInTurn(slot)) return true;
    // What goes to a replacement too goes there under a lock: both disks keep the same one of two writes at the same time.
    const flags = RegionFlag.doubtful | RegionFlag.mirrored;
    return this.#parts.context.filter.hasAny(offsetBytes, lengthBytes, flags);
  }

  /** A durable write that is written, and then flushed in turn with other flushes. */
  #isFlushedInTurn(slot: number): boolean {
    return !this.#haveFua && isDurable(this.#slots, slot);
  }

  /** A transfer that must not go to the main device. */
  #isStopped(slot: number): boolean {
    const { breaker } = this.#parts.context;
    return this.#slots.operation[slot] === Operation.read ? breaker.stopsReads : breaker.isOpen;
  }

  /** A device that is gone, or must not be sent this, and that the plan needs; -1 if there is none. */
  #shutTargetOfPlan(slot: number): number {
    const { outages, stores } = this.#parts;
    const { plan } = this.#transfers;
    if (this.#isStopped(slot) && plan.touches(MAIN)) return MAIN;
    if (!outages.anyShut) return -1;
    for (let target = MAIN + 1; target < stores.length; target += 1) {
      if (outages.isShut(target) && plan.touches(target)) return target;
    }
    return -1;
  }

  /** The same for a flush. */
  #shutTargetOfFlush(): number {
    const { outages, stores, dirtySpares } = this.#parts;
    for (let target = MAIN + 1; target < stores.length; target += 1) {
      if (outages.isShut(target) && dirtySpares.isDirty(target)) return target;
    }
    return -1;
  }

  #startFlush(slot: number): void {
    if (this.#transfers.freeRunCount < this.#parts.stores.length) {
      this.#starved.push(slot);
      return;
    }
    // Not sent: what the main device has not been asked it has not failed.
    if (this.#parts.context.breaker.isOpen) return this.#parts.turnAway(slot, MAIN);
    if (this.#parts.outages.anyShut) {
      const target = this.#shutTargetOfFlush();
      if (target !== -1) return this.#parts.turnAway(slot, target);
    }
    this.#slots.phase[slot] = Phase.inFlight;
    this.#transfers.sendFlush(slot);
  }

  #ended(slot: number): void {
    const { locks, flushFailed } = this.#parts;
    this.#slots.phase[slot] = Phase.waiting;
    if (this.#slots.failed[slot] === 0) this.#slots.finish(slot, 0);
    else if (this.#slots.operation[slot] === Operation.flush) flushFailed(slot);
    else this.#toCold(slot);
    if (locks.hasWaiting) locks.grantQuiet();
    if (this.#starved.length > 0) this.#parts.wantPoll();
  }

  /** The cold path looks into the data; a request that comes again with its data in memory is counted then. */
  #toCold(slot: number): void {
    if (!isRequestBuffer(this.#slots.memoryOffset[slot]!)) return this.#parts.goCold(slot);
    uncountTransfer(this.#parts.context.counters, this.#slots, slot);
    this.answer(slot, NEEDS_MEMORY);
  }
}

export interface QueueParts {
  readonly context: ColdContext;
  /** By target. */
  readonly stores: readonly BlockStore[];
  readonly slots: RequestSlots;
  readonly runCount: number;
  readonly locks: UnitLocks;
  readonly dirtySpares: DirtySpares;
  /** Hands a request over that has no I/O in flight. */
  readonly goCold: (slot: number) => void;
  readonly outages: Outages;
  /** Left out where the main device can be told by its serial number. */
  readonly written: WrittenSamples | undefined;
  /** A request that needs a device which is gone. */
  readonly turnAway: (slot: number, target: number) => void;
  /** Flushes a disk in its turn, and notes what became of it; `complete` hears of the ticket. */
  readonly flush: (target: number, ticket: number) => void;
  /** A flush has ended, and some disk has failed. */
  readonly flushFailed: (slot: number) => void;
  /** Something waits for the next `poll`. */
  readonly wantPoll: () => void;
}
