import type { HandRefusal, RemapReport } from '../../library/device-types.js';
import { type MessageTarget, unitSectorsOf } from './message.js';

/** Where on the spare the data of a sector is. */
export function spareSectorOf(remap: RemapReport, mainSector: number): number {
  return remap.spareSector + mainSector - remap.mainSector;
}

/** What came of the wish to have a sector on the spare. */
export type Placing =
  | { readonly kind: 'placed'; readonly spareSector: number }
  | { readonly kind: 'already'; readonly spareSector: number }
  | { readonly kind: 'failed'; readonly reason: string; readonly failure: HandRefusal['failure'] };

/**
 * Moves the unit of a sector, with its data. `wishedSpareSector`, of the first spare: the unit goes there if that is free
 * and a place for data, else where the allocator says. What is answered is where it really is.
 */
export async function placeSector(
  target: MessageTarget,
  mainSector: number,
  wishedSpareSector?: number,
): Promise<Placing> {
  const { device } = target;
  const before = await device.remapAt(mainSector);
  if (before !== undefined) return { kind: 'already', spareSector: spareSectorOf(before, mainSector) };
  const unitSectors = unitSectorsOf(target);
  const range = { firstSector: mainSector, sectorCount: 1 };
  if (wishedSpareSector !== undefined) {
    const spareSector = wishedSpareSector - (wishedSpareSector % unitSectors);
    // Where metadata is there, or the place went bad, any other will do.
    const moved = await device.moveByHand(range, { spareIndex: 0, spareSector });
    if (moved.refusals.length === 0) return placed(target, mainSector);
  }
  const moved = await device.moveByHand(range);
  const [refusal] = moved.refusals;
  return refusal === undefined ? placed(target, mainSector) : { kind: 'failed', ...refusal };
}

async function placed(target: MessageTarget, mainSector: number): Promise<Placing> {
  const remap = await target.device.remapAt(mainSector);
  if (remap !== undefined) return { kind: 'placed', spareSector: spareSectorOf(remap, mainSector) };
  return { kind: 'failed', reason: 'it was given back meanwhile', failure: 'refused' };
}

/** The place with this sector of the first spare holds a unit. */
export async function isPlaceTaken(target: MessageTarget, wishedSpareSector: number): Promise<boolean> {
  const unitSectors = unitSectorsOf(target);
  const spareSector = wishedSpareSector - (wishedSpareSector % unitSectors);
  const firstSpareUnit = spareSector / unitSectors;
  const [first] = (await target.device.remaps({ firstSpareUnit, limit: 1 })).remaps;
  return first !== undefined && first.spareIndex === 0 && first.spareSector === spareSector;
}

/** Every moved unit, in the order of the spare. */
export async function* allRemaps({ device }: MessageTarget): AsyncGenerator<RemapReport> {
  for (let firstSpareUnit: number | null = 0; firstSpareUnit !== null; ) {
    const page: Awaited<ReturnType<typeof device.remaps>> = await device.remaps({ firstSpareUnit });
    yield* page.remaps;
    firstSpareUnit = page.nextSpareUnit;
  }
}
