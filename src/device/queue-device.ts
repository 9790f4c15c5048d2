import { assert } from '../base/assert.js';
import { ERRNO } from '../base/errno.js';
import { Breaker } from '../engine/breaker.js';
import { Counter } from '../engine/counters.js';
import { DeviceShape } from '../engine/device-shape.js';
import { MAIN } from '../engine/effect.js';
import { RegionFilter, RegionFlag } from '../engine/region-filter.js';
import { RemapTable } from '../engine/remap-table.js';
import { planRequest } from '../engine/request-plan.js';
import type { BlockStore, CompletionSink } from '../ports/block-store.js';
import { isRequestBuffer } from '../ports/io-memory.js';
import type { RequestSink, ServedDevice, ServedGeometry, StateRun } from '../ports/served-device.js';
import { NEEDS_MEMORY, WriteZeroesFlag } from '../ports/served-device.js';
import { AnswerQueue } from './answer-queue.js';
import { checkRange, checkTransfer } from './check-request.js';
import type { DeviceShare } from './device-share.js';
import { DirtySpares } from './dirty-spares.js';
import { Doorbell, mayBeRung, needNotBeRung } from './doorbell.js';
import { QUEUE_RUN_COUNT, QUEUE_SLOT_COUNT } from './limits.js';
import { errnoOfAnswer, QueueMemory, slotOfAnswer } from './queue-memory.js';
import { RequestSlots } from './request-slots.js';
import { SharedWords } from './shared-words.js';
import { isDurable, Operation, Phase } from './slot-fields.js';
import { describeRun } from './state-run.js';
import { Transfers } from './transfers.js';
import { uncountTransfer } from './uncount-transfer.js';
import { WrittenSamples } from './written-samples.js';

/**
 * A device as a thread of its own serves one queue of it: the hot path over the shared table, with stores, slots and
 * counters of the queue. What is more than a read or write of quiet units it forwards to the owner, the thread of
 * `RemappedDevice`, which runs it as a request of its own: flush, discard, zeroes; what runs into a lock, into doubt,
 * into the open breaker; writes that go to a replacement as well; lost blocks that want more than EIO; and every request
 * of which an I/O failed.
 *
 * `UnitLocks` says why a unit can't be moved under a request. Requests and bytes are counted here, where they arrive;
 * errors are counted by the side that met them. Allocates nothing per request.
 */
export class QueueDevice implements ServedDevice, CompletionSink {
  readonly geometry: ServedGeometry;
  readonly slotCount = QUEUE_SLOT_COUNT;
  readonly #parts: QueueDeviceParts;
  readonly #slots: RequestSlots;
  readonly #transfers: Transfers;
  readonly #answers: AnswerQueue;
  readonly #ownerBell: Doorbell;

  constructor(parts: QueueDeviceParts) {
    this.#parts = parts;
    const { memory, words, breaker, stores } = parts;
    this.geometry = parts.geometry;
    this.#slots = new RequestSlots(QUEUE_SLOT_COUNT, memory.shared, memory.slotsStartBytes);
    this.#transfers = new Transfers({
      stores,
      slots: this.#slots,
      runCount: QUEUE_RUN_COUNT,
      counters: memory.counters,
      breaker,
      dirtySpares: new DirtySpares(words.dirty),
    });
    this.#answers = new AnswerQueue(this.#slots, parts.wantPoll);
    this.#ownerBell = new Doorbell(words.ownerBell, parts.wakeOwner);
  }

  get flushFailureCount(): number {
    return Atomics.load(this.#parts.words.flushFailureCount, 0);
  }

  /** Nothing is in flight or forwarded. */
  get isIdle(): boolean {
    return this.#slots.usedCount === 0;
  }

  acquire(sink: RequestSink): number {
    return this.#slots.acquire(sink);
  }

  release(slot: number): void {
    this.#slots.release(slot);
  }

  read(slot: number, offsetBytes: number, lengthBytes: number, memoryOffset: number): boolean {
    checkTransfer(this.geometry, offsetBytes, lengthBytes);
    const { counters } = this.#parts.memory;
    counters[Counter.reads]! += 1;
    counters[Counter.readBytes]! += lengthBytes;
    this.#slots.begin(slot, Operation.read, offsetBytes, lengthBytes, memoryOffset, 0);
    return this.#startTransfer(slot, offsetBytes, lengthBytes);
  }

  write(
    slot: number,
    offsetBytes: number,
    lengthBytes: number,
    memoryOffset: number,
    durable: boolean,
  ): boolean {
    checkTransfer(this.geometry, offsetBytes, lengthBytes);
    const { counters } = this.#parts.memory;
    counters[Counter.writes]! += 1;
    counters[Counter.writtenBytes]! += lengthBytes;
    if (this.#parts.written !== undefined) this.#parts.written.noteWrite(offsetBytes, lengthBytes);
    const flags = durable ? WriteZeroesFlag.durable : WriteZeroesFlag.none;
    this.#slots.begin(slot, Operation.write, offsetBytes, lengthBytes, memoryOffset, flags);
    return this.#startTransfer(slot, offsetBytes, lengthBytes);
  }

  hasFailed(slot: number): boolean {
    return this.#slots.failed[slot] !== 0;
  }

  flush(slot: number): void {
    this.#parts.memory.counters[Counter.flushes]! += 1;
    this.#slots.begin(slot, Operation.flush, 0, 0, 0, 0);
    this.#forward(slot);
  }

  discard(slot: number, offsetBytes: number, lengthBytes: number): void {
    checkRange(this.geometry, offsetBytes, lengthBytes);
    this.#parts.memory.counters[Counter.discards]! += 1;
    this.#parts.written?.noteWrite(offsetBytes, lengthBytes);
    this.#slots.begin(slot, Operation.discard, offsetBytes, lengthBytes, 0, 0);
    this.#forward(slot);
  }

  writeZeroes(slot: number, offsetBytes: number, lengthBytes: number, flags: number): void {
    checkRange(this.geometry, offsetBytes, lengthBytes);
    this.#parts.memory.counters[Counter.writeZeroes]! += 1;
    this.#parts.written?.noteWrite(offsetBytes, lengthBytes);
    this.#slots.begin(slot, Operation.writeZeroes, offsetBytes, lengthBytes, 0, flags);
    this.#forward(slot);
  }

  /** As things stood a moment ago: nothing is locked for it. */
  describeRun(offsetBytes: number, lengthBytes: number, run: StateRun): void {
    describeRun(this.#parts, this.#parts.stores[MAIN]!, offsetBytes, lengthBytes, run);
  }

  complete(ticket: number, result: number): void {
    const slot = this.#transfers.completed(ticket, result);
    if (slot !== -1) this.#ended(slot);
  }

  /** Once per turn, and after being woken: hands answers on. True if there is more to do at once. */
  poll(): boolean {
    const { answers, bell } = this.#parts.memory;
    needNotBeRung(bell);
    for (let answer = answers.take(); answer !== -1; answer = answers.take()) {
      this.#slots.finish(slotOfAnswer(answer), errnoOfAnswer(answer));
    }
    const more = this.#answers.deliver();
    mayBeRung(bell);
    return more || !answers.isEmpty;
  }

  /**
   * Whether it is one I/O on healthy units. The order matters, see `UnitLocks`: first the phase, then the filter, and
   * again nothing before the phase.
   */
  #startTransfer(slot: number, offsetBytes: number, lengthBytes: number): boolean {
    Atomics.store(this.#slots.phase, slot, Phase.inFlight);
    if (!this.geometry.queue.nativeFua && isDurable(this.#slots, slot)) {
      this.#forward(slot);
      return false;
    }
    const isPlain = this.#parts.filter.isPlain(offsetBytes, lengthBytes);
    if (isPlain && !this.#isStopped(slot)) this.#transfers.sendWhole(slot);
    else if (isPlain) this.#forward(slot);
    else this.#startPlanned(slot, offsetBytes, lengthBytes);
    return isPlain && this.#slots.phase[slot] === Phase.inFlight;
  }

  #startPlanned(slot: number, offsetBytes: number, lengthBytes: number): void {
    const { filter, shape, table, words, memory } = this.#parts;
    const { plan } = this.#transfers;
    const isWrite = this.#slots.operation[slot] === Operation.write;
    const special = isWrite
      ? RegionFlag.locked | RegionFlag.doubtful | RegionFlag.mirrored
      : RegionFlag.locked;
    if (filter.hasAny(offsetBytes, lengthBytes, special)) return this.#forward(slot);
    planRequest(shape, table, filter, offsetBytes, lengthBytes, plan);
    assert(!plan.overflow, 'a plan holds every run of the largest request');
    if (plan.firstLostOffsetBytes !== -1) {
      if (isWrite || words.lostReadsAsZero[0] !== 0) return this.#forward(slot);
      memory.counters[Counter.requestsFailed]! += 1;
      this.#leaveStores(slot);
      return this.#answers.push(slot, ERRNO.EIO);
    }
    if (plan.count > this.#transfers.freeRunCount) return this.#forward(slot);
    if (this.#isStopped(slot) && plan.touches(MAIN)) return this.#forward(slot);
    this.#transfers.sendPlanned(slot);
  }

  /** A transfer that must not go to the main device: the owner knows what becomes of it. */
  #isStopped(slot: number): boolean {
    const { breaker } = this.#parts;
    return this.#slots.operation[slot] === Operation.read ? breaker.stopsReads : breaker.isOpen;
  }

  #ended(slot: number): void {
    if (this.#slots.failed[slot] !== 0) return this.#forward(slot);
    this.#leaveStores(slot);
    this.#slots.finish(slot, 0);
  }

  /** The units of the request may be locked again: tells the owner if it waits for that. */
  #leaveStores(slot: number): void {
    Atomics.store(this.#slots.phase, slot, Phase.waiting);
    if (Atomics.load(this.#parts.words.locksWaiting, 0) !== 0) this.#ownerBell.ring();
  }

  /** No I/O of the request is in flight. The owner is rung, and so grants a lock that waits for these units as well. */
  #forward(slot: number): void {
    if (isRequestBuffer(this.#slots.memoryOffset[slot]!)) return this.#askForMemory(slot);
    Atomics.store(this.#slots.phase, slot, Phase.forwarded);
    this.#parts.memory.forwarded.push(slot);
    this.#ownerBell.ring();
  }

  /** Request buffers are known to this thread's ring only. */
  #askForMemory(slot: number): void {
    uncountTransfer(this.#parts.memory.counters, this.#slots, slot);
    this.#leaveStores(slot);
    this.#answers.push(slot, NEEDS_MEMORY);
  }
}

export interface QueueDeviceParts {
  readonly geometry: ServedGeometry;
  readonly shape: DeviceShape;
  /** Views of what the owner writes. */
  readonly table: RemapTable;
  readonly filter: RegionFilter;
  readonly breaker: Breaker;
  readonly words: SharedWords;
  /** Left out where the main device can be told by its serial number. */
  readonly written: WrittenSamples | undefined;
  readonly memory: QueueMemory;
  /** By target. Of this thread, on the devices of the owner. */
  readonly stores: readonly BlockStore[];
  /** Something waits for the next `poll`. */
  readonly wantPoll: () => void;
  /** Makes the owner poll. */
  readonly wakeOwner: () => void;
}

/** The parts that lie in shared memory. `queueMemory`: of `RemappedDevice.addQueue`. */
export function viewShare(
  share: DeviceShare,
  queueMemory: SharedArrayBuffer,
): Omit<QueueDeviceParts, 'stores' | 'wantPoll' | 'wakeOwner'> {
  const shape = new DeviceShape(share.sizes);
  const words = new SharedWords(share.words);
  return {
    geometry: share.geometry,
    shape,
    table: new RemapTable(share.table, shape.spareUnitCount),
    filter: new RegionFilter(share.filter),
    breaker: new Breaker(words.breaker),
    words,
    written: share.written && new WrittenSamples(shape.mainSizeBytes, share.written),
    memory: new QueueMemory(queueMemory),
  };
}
