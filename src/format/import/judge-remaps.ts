import type { ModuleRemap, RemapDoubt, SectorSpan } from './module-remap.js';

/**
 * Adds to every remap why it can't be trusted with these devices. Only a remap without doubts may be imported without
 * being asked for.
 */
export function judgeRemaps(remaps: readonly ModuleRemap[], place: ImportPlace): ModuleRemap[] {
  const timesMain = countBy(remaps, ({ mainSector }) => mainSector);
  const timesSpare = countBy(remaps, ({ spareSector }) => spareSector);
  return remaps.map((remap) => {
    const { mainSector, spareSector } = remap;
    const found: readonly (readonly [RemapDoubt, boolean])[] = [
      ['mainOutOfRange', mainSector >= place.mainSectors],
      ['spareOutOfRange', spareSector >= place.spareSectors],
      ['spareInMetadata', place.metadata.some((span) => isWithin(span, spareSector))],
      ['repeatedMain', timesMain.get(mainSector)! > 1],
      ['repeatedSpare', timesSpare.get(spareSector)! > 1],
      ['largeSectors', !place.hasSmallSectors],
    ];
    const added = found.filter(([, applies]) => applies).map(([doubt]) => doubt);
    return { ...remap, doubts: [...remap.doubts, ...added] };
  });
}

export interface ImportPlace {
  /** Ends of both devices, in sectors: the smaller of what is recorded and what is there. */
  readonly mainSectors: number;
  readonly spareSectors: number;
  readonly metadata: readonly SectorSpan[];
  /** Main and spare device, and the record, have logical blocks of 512 bytes. */
  readonly hasSmallSectors: boolean;
}

function countBy<Item>(items: readonly Item[], keyOf: (item: Item) => number): Map<number, number> {
  const counts = new Map<number, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return counts;
}

function isWithin(span: SectorSpan, sector: number): boolean {
  return sector >= span.firstSector && sector < span.firstSector + span.sectorCount;
}
