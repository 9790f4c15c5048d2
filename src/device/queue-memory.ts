import { COUNTER_NAMES, type Counters } from '../engine/counters.js';
import { QUEUE_SLOT_COUNT } from './limits.js';
import { slotFieldBytes } from './slot-fields.js';
import { SlotRing, slotRingBytes } from './slot-ring.js';

/** What one queue and the owner of the device share: the queue's requests, the two ways between them, its counters. */
export class QueueMemory {
  readonly shared: SharedArrayBuffer;
  /** Only the queue adds; the owner reads, and may be a moment behind. */
  readonly counters: Counters;
  /** One word: `Doorbell` of the queue. */
  readonly bell: Int32Array;
  /** Slots that the owner is to run as requests of its own. */
  readonly forwarded: SlotRing;
  /** What became of them, as `encodeAnswer` has it. */
  readonly answers: SlotRing;
  /** Where the `SlotFields` start. */
  readonly slotsStartBytes: number;

  static allocate(): QueueMemory {
    return new QueueMemory(new SharedArrayBuffer(SLOTS_START + slotFieldBytes(QUEUE_SLOT_COUNT)));
  }

  /** Views the memory that another thread allocated. */
  constructor(shared: SharedArrayBuffer) {
    this.shared = shared;
    this.counters = new Float64Array(shared, 0, COUNTER_NAMES.length);
    this.bell = new Int32Array(shared, BELL_START, 1);
    this.forwarded = new SlotRing(QUEUE_SLOT_COUNT, shared, FORWARDED_START);
    this.answers = new SlotRing(QUEUE_SLOT_COUNT, shared, ANSWERS_START);
    this.slotsStartBytes = SLOTS_START;
  }
}

/** A queue's slot and the errno of its request (0: success) as one entry of a ring. */
export function encodeAnswer(slot: number, errno: number): number {
  return errno * QUEUE_SLOT_COUNT + slot;
}

export function slotOfAnswer(answer: number): number {
  return answer % QUEUE_SLOT_COUNT;
}

export function errnoOfAnswer(answer: number): number {
  return Math.floor(answer / QUEUE_SLOT_COUNT);
}

const LINE_BYTES = 128;
const BELL_START = Math.ceil((COUNTER_NAMES.length * 8) / LINE_BYTES) * LINE_BYTES;
const FORWARDED_START = BELL_START + LINE_BYTES;
const ANSWERS_START = FORWARDED_START + slotRingBytes(QUEUE_SLOT_COUNT);
const SLOTS_START = ANSWERS_START + slotRingBytes(QUEUE_SLOT_COUNT);
