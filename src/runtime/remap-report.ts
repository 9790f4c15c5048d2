import { SECTOR_BYTES } from '../base/units.js';
import type { DeviceShape } from '../engine/device-shape.js';
import { type Descriptor, DescriptorReason } from '../format/descriptor-page.js';

/** A unit of the main device that lives on a spare, as people and programs are told of it. */
export interface RemapReport {
  readonly mainUnit: number;
  /** First sector (512 bytes) of the unit on the main device, and how many it has. */
  readonly mainSector: number;
  readonly sectorCount: number;
  readonly spareIndex: number;
  /** First sector on that spare. */
  readonly spareSector: number;
  readonly reason: RemapReason;
  /** First sectors of the lost logical blocks on the main device, ascending. */
  readonly lostSectors: readonly number[];
  readonly errorCount: number;
  readonly timeSeconds: number;
}

/** `none`: written by a newer program, for a reason that this one does not know. */
export type RemapReason = (typeof REMAP_REASONS)[number];

export const REMAP_REASONS = [
  'none',
  'writeError',
  'readError',
  'recoveredRead',
  'spareError',
  'manual',
  'imported',
] as const satisfies readonly (keyof typeof DescriptorReason)[];

export function remapReportOf(
  shape: DeviceShape,
  spareUnit: number,
  descriptor: Readonly<Descriptor>,
): RemapReport {
  const { mainUnit, lostMask, reason, errorCount, timeSeconds } = descriptor;
  const mainSector = (mainUnit * shape.unitBytes) / SECTOR_BYTES;
  const lostSectors: number[] = [];
  for (let block = 0; block < shape.blocksPerUnit; block += 1) {
    if (((lostMask >>> block) & 1) === 1)
      lostSectors.push(mainSector + (block * shape.logicalBlockBytes) / SECTOR_BYTES);
  }
  return {
    mainUnit,
    mainSector,
    sectorCount: shape.unitLengthBytes(mainUnit) / SECTOR_BYTES,
    spareIndex: shape.spareIndexOf(spareUnit),
    spareSector: shape.spareOffsetBytes(spareUnit) / SECTOR_BYTES,
    reason: REASON_NAMES.get(reason) ?? 'none',
    lostSectors,
    errorCount,
    timeSeconds,
  };
}

const REASON_NAMES = new Map<number, RemapReason>(
  Object.entries(DescriptorReason).map(([name, value]) => [value, name as RemapReason]),
);
