import type { ColdContext } from '../engine/cold-context.js';
import { MAIN, spareTarget } from '../engine/effect.js';
import type { RequestSlots } from './request-slots.js';
import { isDurable, Operation } from './slot-fields.js';

/**
 * The target of a device that is gone and without which this request can't have succeeded; -1 if there is none. May
 * name one that was not the reason: then the request waits, is tried again, and gets the same answer.
 */
export function goneDeviceOf(context: ColdContext, slots: RequestSlots, slot: number): number {
  if (isReadElsewhere(context, slots, slot)) return -1;
  if (context.isGone(MAIN) && needsMain(context, slots, slot)) return MAIN;
  for (const spareIndex of context.shape.spares.keys()) {
    const target = spareTarget(spareIndex);
    if (context.isGone(target) && needsSpare(context, slots, slot, target)) return target;
  }
  return -1;
}

/** A replacement of the main device is being filled, and has what this request reads. */
function isReadElsewhere(
  { mirror }: ColdContext,
  { operation, offsetBytes, lengthBytes }: RequestSlots,
  slot: number,
): boolean {
  return operation[slot] === Operation.read && mirror.holds(offsetBytes[slot]!, lengthBytes[slot]!);
}

function needsMain(context: ColdContext, slots: RequestSlots, slot: number): boolean {
  if (slots.operation[slot] === Operation.read && !context.breaker.stopsReads) return false;
  if (!isTransfer(slots, slot) || isDurable(slots, slot)) return true;
  return anyUnit(context, slots, slot, (spareUnit) => spareUnit === -1);
}

/** Whatever writes may need a place, or a copy of the map, on any spare. */
function needsSpare(context: ColdContext, slots: RequestSlots, slot: number, target: number): boolean {
  if (slots.operation[slot] !== Operation.read) return true;
  return anyUnit(
    context,
    slots,
    slot,
    (spareUnit) => spareUnit !== -1 && context.shape.targetOf(spareUnit) === target,
  );
}

function isTransfer({ operation }: RequestSlots, slot: number): boolean {
  return operation[slot] === Operation.read || operation[slot] === Operation.write;
}

/** A transfer has at most some thousand units. */
function anyUnit(
  { shape, table }: ColdContext,
  { offsetBytes, lengthBytes }: RequestSlots,
  slot: number,
  matches: (spareUnit: number) => boolean,
): boolean {
  const lastUnit = Math.floor((offsetBytes[slot]! + lengthBytes[slot]! - 1) / shape.unitBytes);
  for (let unit = Math.floor(offsetBytes[slot]! / shape.unitBytes); unit <= lastUnit; unit += 1) {
    if (matches(table.find(unit))) return true;
  }
  return false;
}
