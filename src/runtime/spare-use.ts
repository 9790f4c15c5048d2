import type { RemappedDevice } from '../device/remapped-device.js';
import { DescriptorState } from '../format/descriptor-page.js';

/** By spare index: what lives there, and what has room. Looks at every place. */
export function spareUse({ context }: RemappedDevice): SpareUse[] {
  const { table, shape, allocator, suspension } = context;
  return shape.spares.map(({ firstUnit, unitCount }, spareIndex) => {
    let livingUnits = 0;
    for (let unit = firstUnit; unit < firstUnit + unitCount; unit += 1)
      if (table.state(unit) === DescriptorState.mapped && table.find(table.mainUnit(unit)) === unit)
        livingUnits += 1;
    const freeUnits = allocator.freeIn(firstUnit, unitCount);
    return { livingUnits, freeUnits, takesUnits: !suspension.isLeaving(spareIndex) };
  });
}

export interface SpareUse {
  readonly livingUnits: number;
  /** Places that could take a unit, also of a spare that takes none now. */
  readonly freeUnits: number;
  /** False: it is being emptied, or is empty. */
  readonly takesUnits: boolean;
}
