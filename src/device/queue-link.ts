import type { RequestSink } from '../ports/served-device.js';
import { Doorbell } from './doorbell.js';
import { QUEUE_SLOT_COUNT, SLOT_COUNT } from './limits.js';
import { encodeAnswer, QueueMemory } from './queue-memory.js';
import { SlotFields } from './slot-fields.js';

/**
 * The owner's end of one queue: runs what the queue forwards as requests of the device itself, in slots of its own and
 * on the same memory, and sends the answers back.
 */
export class QueueLink implements RequestSink {
  readonly memory: QueueMemory;
  /** The queue's requests. */
  readonly slots: SlotFields;
  readonly #owner: ForwardTarget;
  readonly #bell: Doorbell;
  /** By slot of the owner: the queue's. */
  readonly #origin = new Uint16Array(SLOT_COUNT);
  #runningCount = 0;

  /** `wake`: wakes the thread of the queue. */
  constructor(owner: ForwardTarget, wake: () => void) {
    this.#owner = owner;
    this.memory = QueueMemory.allocate();
    this.slots = new SlotFields(QUEUE_SLOT_COUNT, this.memory.shared, this.memory.slotsStartBytes);
    this.#bell = new Doorbell(this.memory.bell, wake);
  }

  /** Starts what was forwarded; false if some of it found no slot and has to wait for one. */
  startForwarded(): boolean {
    while (this.hasForwarded) {
      const slot = this.#owner.acquire(this);
      if (slot === -1) return false;
      const origin = this.memory.forwarded.take();
      this.#origin[slot] = origin;
      this.#runningCount += 1;
      this.#owner.startForwarded(slot, this.slots, origin);
    }
    return true;
  }

  get hasForwarded(): boolean {
    return !this.memory.forwarded.isEmpty;
  }

  /** Nothing of the queue is in the owner's hands. */
  get isIdle(): boolean {
    return this.#runningCount === 0 && !this.hasForwarded;
  }

  completed(slot: number, errno: number): void {
    this.#runningCount -= 1;
    this.memory.answers.push(encodeAnswer(this.#origin[slot]!, errno));
    this.#bell.ring();
  }
}

/** What a link needs of the device. */
export interface ForwardTarget {
  acquire(sink: RequestSink): number;
  /** Starts in `slot`, which is acquired, the request that is in slot `origin` of a queue; it has been counted there. */
  startForwarded(slot: number, queue: SlotFields, origin: number): void;
}
