import type { Machine } from './machine.js';
import { copyAt, placeOfUnit, readMetadata, zoneStart } from './metadata-reader.js';

/** Places for units that are left on the spares but these, by docs/on-disk-format.md and what is on the disks now. */
export function freeUnitCount(machine: Machine, without: ReadonlySet<number> = new Set()): number {
  const set = readMetadata(machine.spareBytes);
  if (set === undefined) return 0;
  const { superblock, mappings, retired } = set;
  const used = [...mappings.map(({ spareUnit }) => spareUnit), ...retired].filter(
    (spareUnit) => !without.has(placeOfUnit(superblock, spareUnit).spareIndex),
  ).length;
  let placeCount = 0;
  for (const [spareIndex, { sizeBytes }] of superblock.spares.entries()) {
    if (without.has(spareIndex)) continue;
    for (let at = 0; at + superblock.unitBytes <= sizeBytes; at += superblock.unitBytes) {
      if (!isReserved(superblock, spareIndex, at)) placeCount += 1;
    }
  }
  return placeCount - used;
}

type Layout = NonNullable<ReturnType<typeof readMetadata>>['superblock'];

/** Shares a byte with a copy of the metadata, or with the two pages at the start of a zone. */
export function isReserved(layout: Layout, spareIndex: number, offsetBytes: number): boolean {
  const { sizeBytes } = layout.spares[spareIndex]!;
  const last = offsetBytes + layout.unitBytes - 1;
  if (copyAt(layout, spareIndex, offsetBytes) !== -1 || copyAt(layout, spareIndex, last) !== -1) return true;
  for (let zone = 0; zone < 8; zone += 1) {
    const start = zoneStart(sizeBytes, zone);
    if (last >= start && offsetBytes < start + 8192) return true;
  }
  return last >= sizeBytes;
}
