import { Counter, newCounters } from '../engine/counters.js';
import type { Procedure } from '../engine/effect.js';
import { perform, spareTarget } from '../engine/effect.js';
import { RemapTable } from '../engine/remap-table.js';
import { type Descriptor, DescriptorReason, DescriptorState } from '../format/descriptor-page.js';
import { DESCRIPTORS_PER_PAGE } from '../format/layout.js';
import type { Superblock } from '../format/superblock.js';
import type { IoMemory } from '../ports/io-memory.js';
import { MAX_COMMIT_PAGES } from './limits.js';
import { loadDescriptors } from './load-descriptors.js';
import { metadataStateOf } from './metadata-state.js';
import { type PageWork, writePages } from './write-pages.js';

/**
 * Writes the pages of a new set before there is a superblock that speaks of them: first empty, then with these units
 * mapped, as rule W4 of docs/on-disk-format.md wants them. True if all copies have both and say so when read back.
 */
export function* writeImportedMap(input: ImportedMapInput, units: readonly PlacedUnit[]): Procedure<boolean> {
  const { superblock, memory, bufferOffset } = input;
  const table = RemapTable.allocate(superblock.spares[0]!.initialisedPageCount * DESCRIPTORS_PER_PAGE);
  const counters = newCounters();
  const state = metadataStateOf(superblock);
  const work: PageWork = { state, context: { table, counters }, memory, bufferOffset };
  if (!(yield* writeAllPages(work))) return false;
  const timeSeconds = yield* perform({ kind: 'wallClock' });
  for (const unit of units) table.set(unit.spareUnit, descriptorOf(unit, timeSeconds));
  if (!(yield* writeAllPages(work))) return false;
  return counters[Counter.metadataWriteErrors] === 0 && (yield* readsBack(input, units));
}

export interface ImportedMapInput {
  /** Of one spare; its watermark covers all pages concerned. */
  readonly superblock: Superblock;
  readonly memory: IoMemory;
  /** Room for `RECOVERY_READ_BYTES` of each copy. */
  readonly bufferOffset: number;
}

export interface PlacedUnit {
  readonly mainUnit: number;
  readonly spareUnit: number;
  /** Bit n: logical block n of the unit has no contents. */
  readonly lostMask: number;
}

function* writeAllPages(work: PageWork): Procedure<boolean> {
  const pageCount = work.state.superblock.spares[0]!.initialisedPageCount;
  for (let first = 0; first < pageCount; first += MAX_COMMIT_PAGES) {
    const count = Math.min(MAX_COMMIT_PAGES, pageCount - first);
    const pages = Array.from({ length: count }, (_, nth) => first + nth);
    if (!(yield* writePages(work, pages, new Map()))) return false;
  }
  return true;
}

function descriptorOf(unit: PlacedUnit, timeSeconds: number): Descriptor {
  return {
    state: DescriptorState.mapped,
    mainUnit: unit.mainUnit,
    lostMask: unit.lostMask,
    timeSeconds,
    errorCount: 0,
    moveCount: 0,
    reason: DescriptorReason.imported,
  };
}

/** Every copy says exactly this of every unit. */
function* readsBack(input: ImportedMapInput, units: readonly PlacedUnit[]): Procedure<boolean> {
  const missing = new Map(units.map((unit) => [unit.spareUnit, descriptorOf(unit, 0)]));
  let unexpectedCount = 0;
  const { superblock, memory, bufferOffset } = input;
  const report = yield* loadDescriptors({
    superblock,
    targetOfSpare: () => spareTarget(0),
    memory,
    bufferOffset,
    accept: (spareUnit, { state, mainUnit, lostMask }) => {
      const wanted = missing.get(spareUnit);
      const fits = wanted?.state === state && wanted.mainUnit === mainUnit && wanted.lostMask === lostMask;
      if (!fits || !missing.delete(spareUnit)) unexpectedCount += 1;
    },
    acceptPage: () => {},
  });
  const isWhole = report.lostPages.length === 0 && report.badPages.every((count) => count === 0);
  return isWhole && missing.size === 0 && unexpectedCount === 0;
}
