import { assert } from '../../base/assert.js';
import { SECTOR_BYTES } from '../../base/units.js';
import type { ModuleRemap } from './module-remap.js';

/**
 * Which units of a new set take these remaps, in the order of the main device. The module moves single sectors of 512
 * bytes, dm-remap whole units: a unit takes its moved sectors from the old spare and all others from the main device.
 */
export function planImportUnits(remaps: readonly ModuleRemap[], unitBytes: number): ImportUnit[] {
  const sectorsPerUnit = unitBytes / SECTOR_BYTES;
  assert(Number.isInteger(sectorsPerUnit), `a unit of ${unitBytes} bytes`);
  const units = new Map<number, MovedSector[]>();
  for (const { mainSector, spareSector } of remaps) {
    const mainUnit = Math.floor(mainSector / sectorsPerUnit);
    const moved = units.get(mainUnit) ?? [];
    units.set(mainUnit, [...moved, { sectorInUnit: mainSector % sectorsPerUnit, spareSector }]);
  }
  return [...units]
    .map(([mainUnit, moved]) => ({ mainUnit, moved }))
    .sort((one, other) => one.mainUnit - other.mainUnit);
}

export interface ImportUnit {
  readonly mainUnit: number;
  readonly moved: readonly MovedSector[];
}

export interface MovedSector {
  /** From 0. */
  readonly sectorInUnit: number;
  /** Where it is on the module's spare. */
  readonly spareSector: number;
}
