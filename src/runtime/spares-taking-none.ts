import { errnoName } from '../base/errno.js';
import type { ColdContext } from '../engine/cold-context.js';

/** Spares that no unit can be moved to, beside those that are being emptied. A refusal is what a person has to know first. */
export function sparesTakingNone({
  shape,
  allocator,
  suspension,
}: Pick<ColdContext, 'shape' | 'allocator' | 'suspension'>): SpareTakingNone[] {
  return shape.spares.flatMap(({ firstUnit, unitCount }, spareIndex) => {
    const freeUnits = allocator.freeIn(firstUnit, unitCount);
    const errno = suspension.refusals.get(spareIndex);
    if (suspension.isLeaving(spareIndex) || (errno === undefined && freeUnits > 0)) return [];
    return [{ spareIndex, freeUnits, refusal: errno === undefined ? null : errnoName(errno) }];
  });
}

export interface SpareTakingNone {
  readonly spareIndex: number;
  /** That it has, and does not take. */
  readonly freeUnits: number;
  /** The errno name of what became of the last unit that was to be moved there; null: it is full. */
  readonly refusal: string | null;
}
