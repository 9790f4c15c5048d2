import { SECTOR_BYTES } from '../base/units.js';
import type { RemappedDevice } from '../device/remapped-device.js';
import { DescriptorState, emptyDescriptor } from '../format/descriptor-page.js';
import { DESCRIPTORS_PER_PAGE } from '../format/layout.js';
import { type RemapReport, remapReportOf } from './remap-report.js';

/** A part of the map, in the order of spare units. */
export interface RemapPage {
  readonly remaps: readonly RemapReport[];
  /** Where the next part begins; null after the last one. */
  readonly nextSpareUnit: number | null;
}

/**
 * The units that live on spares, as they are between two turns of the device's thread: from `firstSpareUnit` on, `limit`
 * at most. `onlyLost`: those with blocks that have no contents.
 */
export function listRemaps(
  device: RemappedDevice,
  firstSpareUnit: number,
  limit: number,
  onlyLost: boolean,
): RemapPage {
  const { table, shape } = device.context;
  const descriptor = emptyDescriptor();
  const remaps: RemapReport[] = [];
  for (const { firstUnit, initialisedPageCount } of device.metadata.superblock.spares) {
    const end = firstUnit + initialisedPageCount * DESCRIPTORS_PER_PAGE;
    for (let spareUnit = Math.max(firstUnit, firstSpareUnit); spareUnit < end; spareUnit += 1) {
      if (table.state(spareUnit) !== DescriptorState.mapped) continue;
      if (onlyLost && table.lostMask(spareUnit) === 0) continue;
      // A place that a unit has left and that could not be retired yet.
      if (table.find(table.mainUnit(spareUnit)) !== spareUnit) continue;
      if (remaps.length === limit) return { remaps, nextSpareUnit: spareUnit };
      table.get(spareUnit, descriptor);
      remaps.push(remapReportOf(shape, spareUnit, descriptor));
    }
  }
  return { remaps, nextSpareUnit: null };
}

/** Undefined where the unit with this sector lives on the main device. */
export function remapAt({ context }: RemappedDevice, mainSector: number): RemapReport | undefined {
  const { table, shape } = context;
  const spareUnit = table.find(Math.floor((mainSector * SECTOR_BYTES) / shape.unitBytes));
  if (spareUnit === -1) return undefined;
  const descriptor = emptyDescriptor();
  table.get(spareUnit, descriptor);
  return remapReportOf(shape, spareUnit, descriptor);
}
