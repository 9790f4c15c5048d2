import { assert } from '../base/assert.js';
import { ERRNO } from '../base/errno.js';
import type { ColdContext } from '../engine/cold-context.js';
import { Counter } from '../engine/counters.js';
import { MAIN } from '../engine/effect.js';
import { RegionFlag } from '../engine/region-filter.js';
import { planRequest, RequestPlan } from '../engine/request-plan.js';
import type { BlockStore } from '../ports/block-store.js';
import { isRequestBuffer } from '../ports/io-memory.js';
import { MAX_TRANSFER_BYTES, NEEDS_MEMORY, WriteZeroesFlag } from '../ports/served-device.js';
import { AnswerQueue } from './answer-queue.js';
import { BackendRuns } from './backend-runs.js';
import type { DirtySpares } from './dirty-spares.js';
import type { RequestSlots } from './request-slots.js';
import { Operation, Phase } from './request-slots.js';
import type { UnitLocks } from './unit-locks.js';

/**
 * The hot path: a request on healthy units is one look at the region filter and one I/O with the slot number as its
 * ticket. Requests on remapped units are planned into runs that go out together. Everything else (an error, a lost
 * block, a range operation) is handed to the cold path. Allocates nothing per request.
 *
 * Tickets: [0, slots) plain I/O of a slot; [slots, slots + runs) one run of a planned request.
 */
export class RequestQueue {
  readonly #parts: QueueParts;
  readonly #main: BlockStore;
  readonly #slots: RequestSlots;
  readonly #runs: BackendRuns;
  readonly #plan = new RequestPlan(MAX_TRANSFER_BYTES / 512 + 1);
  readonly #answers: AnswerQueue;
  /** Slots that ran into a locked range. */
  #blocked: number[] = [];
  /** Slots that found too few runs free. */
  #starved: number[] = [];

  constructor(parts: QueueParts) {
    this.#parts = parts;
    this.#main = parts.stores[MAIN]!;
    this.#slots = parts.slots;
    this.#runs = new BackendRuns(parts.slots.count, parts.runCount);
    this.#answers = new AnswerQueue(parts.slots, parts.wantPoll);
  }

  /** Delivers what was decided without I/O; call once per turn. True if there may be more. */
  poll(): boolean {
    if (this.#starved.length > 0) this.#restart(this.#starved.splice(0));
    return this.#answers.deliver();
  }

  read(slot: number, offsetBytes: number, lengthBytes: number, memoryOffset: number): void {
    const { counters } = this.#parts.context;
    counters[Counter.reads]! += 1;
    counters[Counter.readBytes]! += lengthBytes;
    this.#slots.begin(slot, Operation.read, offsetBytes, lengthBytes, memoryOffset, 0);
    this.#start(slot);
  }

  write(
    slot: number,
    offsetBytes: number,
    lengthBytes: number,
    memoryOffset: number,
    durable: boolean,
  ): void {
    const { counters } = this.#parts.context;
    counters[Counter.writes]! += 1;
    counters[Counter.writtenBytes]! += lengthBytes;
    const flags = durable ? WriteZeroesFlag.durable : WriteZeroesFlag.none;
    this.#slots.begin(slot, Operation.write, offsetBytes, lengthBytes, memoryOffset, flags);
    this.#start(slot);
  }

  /** To the main device and every spare that was written to since its last flush. */
  flush(slot: number): void {
    this.#parts.context.counters[Counter.flushes]! += 1;
    this.#slots.begin(slot, Operation.flush, 0, 0, 0, 0);
    this.#startFlush(slot);
  }

  /** The ticket of a plain I/O or of a run has completed. */
  complete(ticket: number, result: number): void {
    const slots = this.#slots;
    let slot = ticket;
    let target = MAIN;
    if (ticket >= slots.count) {
      slot = this.#runs.slotOf(ticket);
      target = this.#runs.targetOf(ticket);
      if (slots.operation[slot] === Operation.flush) {
        if (result >= 0) this.#parts.dirtySpares.noteFlushed(target, this.#runs.markOf(ticket));
        else this.#parts.dirtySpares.noteFlushFailed(target);
      }
      this.#runs.free(ticket);
    }
    if (result < 0) this.#noteFailure(slot, target);
    else this.#noteSuccess(slot, target);
    slots.pending[slot]! -= 1;
    if (slots.pending[slot] === 0) this.#ended(slot);
  }

  /** A lock was given back: starts again what ran into one. */
  retryBlocked(): void {
    if (this.#blocked.length > 0) this.#restart(this.#blocked.splice(0));
  }

  /** An answer that was found without I/O, or by the cold path. Delivered in the next turn. */
  answer(slot: number, errno: number): void {
    this.#answers.push(slot, errno);
  }

  #restart(waiting: readonly number[]): void {
    for (const slot of waiting) {
      if (this.#slots.operation[slot] === Operation.flush) this.#startFlush(slot);
      else this.#start(slot);
    }
  }

  #start(slot: number): void {
    const { context, breakerFailed } = this.#parts;
    const offsetBytes = this.#slots.offsetBytes[slot]!;
    const lengthBytes = this.#slots.lengthBytes[slot]!;
    if (!context.filter.isPlain(offsetBytes, lengthBytes))
      return this.#startPlanned(slot, offsetBytes, lengthBytes);
    if (context.breaker.isOpen) return breakerFailed(slot);
    this.#slots.phase[slot] = Phase.inFlight;
    this.#slots.pending[slot] = 1;
    this.#submit(slot, MAIN, slot, offsetBytes, lengthBytes, this.#slots.memoryOffset[slot]!);
  }

  #startPlanned(slot: number, offsetBytes: number, lengthBytes: number): void {
    const { context, locks, breakerFailed } = this.#parts;
    const { filter, shape, table } = context;
    if (
      filter.hasAny(offsetBytes, lengthBytes, RegionFlag.locked) &&
      locks.blocks(offsetBytes, lengthBytes)
    ) {
      this.#blocked.push(slot);
      return;
    }
    const isWrite = this.#slots.operation[slot] === Operation.write;
    if (isWrite && filter.hasAny(offsetBytes, lengthBytes, RegionFlag.doubtful)) return this.#toCold(slot);
    planRequest(shape, table, filter, offsetBytes, lengthBytes, this.#plan);
    assert(!this.#plan.overflow, 'a plan holds every run of the largest request');
    if (this.#plan.firstLostOffsetBytes !== -1) {
      if (isWrite || context.lostReadsAsZero) return this.#toCold(slot);
      context.counters[Counter.requestsFailed]! += 1;
      return this.answer(slot, ERRNO.EIO);
    }
    if (context.breaker.isOpen && this.#plan.touches(MAIN)) return breakerFailed(slot);
    if (this.#plan.count > this.#runs.freeCount) {
      this.#starved.push(slot);
      return;
    }
    this.#submitPlan(slot);
  }

  #submitPlan(slot: number): void {
    const plan = this.#plan;
    this.#slots.phase[slot] = Phase.inFlight;
    this.#slots.pending[slot] = plan.count;
    let memoryOffset = this.#slots.memoryOffset[slot]!;
    for (let index = 0; index < plan.count; index += 1) {
      const target = plan.target[index]!;
      const lengthBytes = plan.lengthBytes[index]!;
      const ticket = this.#runs.take(slot, target);
      this.#submit(slot, target, ticket, plan.offsetBytes[index]!, lengthBytes, memoryOffset);
      memoryOffset += lengthBytes;
    }
  }

  #submit(
    slot: number,
    target: number,
    ticket: number,
    offsetBytes: number,
    lengthBytes: number,
    memoryOffset: number,
  ): void {
    const store = target === MAIN ? this.#main : this.#parts.stores[target]!;
    if (this.#slots.operation[slot] === Operation.read) {
      store.read(ticket, offsetBytes, lengthBytes, memoryOffset);
    } else {
      const durable = (this.#slots.flags[slot]! & WriteZeroesFlag.durable) !== 0;
      store.write(ticket, offsetBytes, lengthBytes, memoryOffset, durable);
    }
  }

  #startFlush(slot: number): void {
    const { stores, dirtySpares } = this.#parts;
    if (this.#runs.freeCount < stores.length) {
      this.#starved.push(slot);
      return;
    }
    this.#slots.phase[slot] = Phase.inFlight;
    this.#slots.pending[slot] = 1;
    for (let target = MAIN + 1; target < stores.length; target += 1) {
      if (!dirtySpares.isDirty(target)) continue;
      this.#slots.pending[slot]! += 1;
      stores[target]!.flush(this.#runs.take(slot, target, dirtySpares.mark(target)));
    }
    this.#main.flush(this.#runs.take(slot, MAIN));
  }

  /** A write to a spare makes it dirty once it is there; success on the main device shows that it lives. */
  #noteSuccess(slot: number, target: number): void {
    const operation = this.#slots.operation[slot]!;
    if (operation === Operation.write) {
      if (target !== MAIN) this.#parts.dirtySpares.noteWritten(target);
      else this.#parts.context.breaker.writeFailureStreak = 0;
    } else if (operation === Operation.read && target === MAIN) {
      this.#parts.context.breaker.readFailureStreak = 0;
    }
  }

  /** Which errno it was matters only to the cold path, which tries again. */
  #noteFailure(slot: number, target: number): void {
    const { counters } = this.#parts.context;
    const operation = this.#slots.operation[slot]!;
    this.#slots.failed[slot] = 1;
    if (operation === Operation.read)
      counters[target === MAIN ? Counter.mainReadErrors : Counter.spareReadErrors]! += 1;
    if (operation === Operation.write)
      counters[target === MAIN ? Counter.mainWriteErrors : Counter.spareWriteErrors]! += 1;
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
    const { operation, lengthBytes, memoryOffset } = this.#slots;
    if (!isRequestBuffer(memoryOffset[slot]!)) return this.#parts.goCold(slot);
    const { counters } = this.#parts.context;
    const isRead = operation[slot] === Operation.read;
    counters[isRead ? Counter.reads : Counter.writes]! -= 1;
    counters[isRead ? Counter.readBytes : Counter.writtenBytes]! -= lengthBytes[slot]!;
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
  /** A request for the main device while the breaker is open. */
  readonly breakerFailed: (slot: number) => void;
  readonly flushFailed: (slot: number) => void;
  /** Something waits for the next `poll`. */
  readonly wantPoll: () => void;
}
