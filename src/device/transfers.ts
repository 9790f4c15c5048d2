import { assert } from '../base/assert.js';
import type { Breaker } from '../engine/breaker.js';
import type { Counters } from '../engine/counters.js';
import { Counter } from '../engine/counters.js';
import { MAIN } from '../engine/effect.js';
import { RequestPlan } from '../engine/request-plan.js';
import type { BlockStore } from '../ports/block-store.js';
import { MAX_TRANSFER_BYTES } from '../ports/served-device.js';
import { BackendRuns } from './backend-runs.js';
import type { DirtySpares } from './dirty-spares.js';
import type { SlotFields } from './slot-fields.js';
import { isDurable, Operation } from './slot-fields.js';

/**
 * Sends the I/O of requests to the stores and gathers its completions, for one thread. Whether a request may start,
 * and what becomes of it afterwards, is the caller's. Allocates nothing per request.
 *
 * Tickets: [0, slots) whole requests on the main device; [slots, slots + runs) one run of a request.
 */
export class Transfers {
  /** Of the request that is being started. */
  readonly plan = new RequestPlan(MAX_TRANSFER_BYTES / 512 + 1);
  readonly #parts: TransferParts;
  readonly #main: BlockStore;
  readonly #slots: SlotFields;
  readonly #runs: BackendRuns;

  constructor(parts: TransferParts) {
    this.#parts = parts;
    this.#main = parts.stores[MAIN]!;
    this.#slots = parts.slots;
    this.#runs = new BackendRuns(parts.slots.count, parts.runCount);
  }

  get freeRunCount(): number {
    return this.#runs.freeCount;
  }

  /** All of a read or write, from or to the main device. */
  sendWhole(slot: number): void {
    const slots = this.#slots;
    slots.pending[slot] = 1;
    this.#send(
      slot,
      MAIN,
      slot,
      slots.offsetBytes[slot]!,
      slots.lengthBytes[slot]!,
      slots.memoryOffset[slot]!,
    );
  }

  /** A read or write as `plan` has it; there are enough runs. */
  sendPlanned(slot: number): void {
    const { plan } = this;
    this.#slots.pending[slot] = plan.count;
    let memoryOffset = this.#slots.memoryOffset[slot]!;
    for (let index = 0; index < plan.count; index += 1) {
      const target = plan.target[index]!;
      const lengthBytes = plan.lengthBytes[index]!;
      const ticket = this.#runs.take(slot, target);
      this.#send(slot, target, ticket, plan.offsetBytes[index]!, lengthBytes, memoryOffset);
      memoryOffset += lengthBytes;
    }
  }

  /** To the main device and every spare that was written to since its last flush; there is a run for each store. */
  sendFlush(slot: number): void {
    const { stores, dirtySpares, flush } = this.#parts;
    assert(flush !== undefined, 'flushes are sent by the owner');
    this.#slots.pending[slot] = 0;
    for (let target = stores.length - 1; target >= MAIN; target -= 1) {
      if (target !== MAIN && !dirtySpares.isDirty(target)) continue;
      this.#slots.pending[slot]! += 1;
      flush(target, this.#runs.take(slot, target));
    }
  }

  /** An I/O has completed. Answers its slot if it was the slot's last one, else -1. */
  completed(ticket: number, result: number): number {
    const slots = this.#slots;
    let slot = ticket;
    let target = MAIN;
    if (ticket >= slots.count) {
      slot = this.#runs.slotOf(ticket);
      target = this.#runs.targetOf(ticket);
      this.#runs.free(ticket);
    }
    if (result < 0) this.#noteFailure(slot, target);
    else this.#noteSuccess(slot, target);
    slots.pending[slot]! -= 1;
    return slots.pending[slot] === 0 ? slot : -1;
  }

  #send(
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
      store.write(ticket, offsetBytes, lengthBytes, memoryOffset, isDurable(this.#slots, slot));
    }
  }

  /** A write makes its device dirty once it is there; success on the main device shows that it lives. */
  #noteSuccess(slot: number, target: number): void {
    const operation = this.#slots.operation[slot]!;
    if (operation === Operation.write) {
      this.#parts.dirtySpares.noteWritten(target);
      if (target === MAIN) this.#parts.breaker.noteSuccess('write');
    } else if (operation === Operation.read && target === MAIN) {
      this.#parts.breaker.noteSuccess('read');
    }
  }

  /** Which errno it was matters only to the cold path, which tries again. */
  #noteFailure(slot: number, target: number): void {
    const { counters } = this.#parts;
    const operation = this.#slots.operation[slot]!;
    this.#slots.failed[slot] = 1;
    if (operation === Operation.read)
      counters[target === MAIN ? Counter.mainReadErrors : Counter.spareReadErrors]! += 1;
    if (operation === Operation.write)
      counters[target === MAIN ? Counter.mainWriteErrors : Counter.spareWriteErrors]! += 1;
  }
}

export interface TransferParts {
  /** By target. */
  readonly stores: readonly BlockStore[];
  readonly slots: SlotFields;
  readonly runCount: number;
  readonly counters: Counters;
  readonly breaker: Breaker;
  readonly dirtySpares: DirtySpares;
  /** Flushes a disk in its turn, and notes what became of it; left out where no flushes are sent. */
  readonly flush?: (target: number, ticket: number) => void;
}
