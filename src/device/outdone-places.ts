import {
  type Descriptor,
  DescriptorReason,
  DescriptorState,
  isLaterMove,
} from '../format/descriptor-page.js';
import type { DumpEntry } from './set-dump.js';

/** A place that a unit has left, and whose own update did not come about: it is not handed out again. */
export const OUTDONE_PLACE: Readonly<Descriptor> = {
  state: DescriptorState.retired,
  reason: DescriptorReason.spareError,
  mainUnit: 0,
  lostMask: 0,
  timeSeconds: 0,
  errorCount: 0,
  moveCount: 0,
};

/**
 * The entries of a map as a start would find it. Between mapping a unit's new place and freeing the old one both name it:
 * the later move counts.
 */
export function withoutOutdone(entries: Iterable<DumpEntry>): DumpEntry[] {
  const all = new Map(entries);
  const placeOf = new Map<number, number>();
  for (const [spareUnit, descriptor] of all) {
    if (descriptor.state !== DescriptorState.mapped) continue;
    const other = placeOf.get(descriptor.mainUnit);
    const isOutdone = other !== undefined && !isLaterMove(descriptor.moveCount, all.get(other)!.moveCount);
    if (!isOutdone) placeOf.set(descriptor.mainUnit, spareUnit);
    const outdone = isOutdone ? spareUnit : other;
    if (outdone !== undefined) all.set(outdone, OUTDONE_PLACE);
  }
  return [...all];
}
