import type { Counters } from '../engine/counters.js';
import { Counter } from '../engine/counters.js';
import type { SlotFields } from './slot-fields.js';
import { Operation } from './slot-fields.js';

/** A transfer that will come again, with its data in memory, is counted once. */
export function uncountTransfer(
  counters: Counters,
  { operation, lengthBytes }: SlotFields,
  slot: number,
): void {
  const isRead = operation[slot] === Operation.read;
  counters[isRead ? Counter.reads : Counter.writes]! -= 1;
  counters[isRead ? Counter.readBytes : Counter.writtenBytes]! -= lengthBytes[slot]!;
}
