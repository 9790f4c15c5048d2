import type { RemappedDevice } from '../device/remapped-device.js';
import { DescriptorState } from '../format/descriptor-page.js';
import { sparesTakingNone } from './spares-taking-none.js';

/** By spare index: what lives there, and what has room. Looks at every place. */
export function spareUse({ context }: RemappedDevice): SpareUse[] {
  const { table, shape, allocator, suspension } = context;
  const takingNone = sparesTakingNone(context).map(({ spareIndex }) => spareIndex);
  return shape.spares.map(({ firstUnit, unitCount }, spareIndex) => {
    let livingUnits = 0;
    for (let unit = firstUnit; unit < firstUnit + unitCount; unit += 1)
      if (table.state(unit) === DescriptorState.mapped && table.find(table.mainUnit(unit)) === unit)
        livingUnits += 1;
    const freeUnits = allocator.freeIn(firstUnit, unitCount);
    const isLeaving = suspension.isLeaving(spareIndex);
    return { livingUnits, freeUnits, isLeaving, takesUnits: !isLeaving && !takingNone.includes(spareIndex) };
  });
}

export interface SpareUse {
  readonly livingUnits: number;
  /** Places that could take a unit, also of a spare that takes none now. */
  readonly freeUnits: number;
  /** It is being emptied, or is empty. */
  readonly isLeaving: boolean;
  /** False: it is being emptied, is full, or did not take the last unit that was to be moved there. */
  readonly takesUnits: boolean;
}
