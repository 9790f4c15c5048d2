import { ERRNO } from '../base/errno.js';
import type { DescriptorChange, Effect, Procedure } from '../engine/effect.js';
import { perform, performAll } from '../engine/effect.js';
import { RegionFlag } from '../engine/region-filter.js';
import { LAST_TIME_SECONDS } from '../engine/remap-table.js';
import { type Descriptor, DescriptorState, emptyDescriptor } from '../format/descriptor-page.js';
import { DESCRIPTORS_PER_PAGE, firstPageOfSpare, pageOfUnit } from '../format/layout.js';
import type { SpareRecord, Superblock } from '../format/superblock.js';
import { MAX_COMMIT_PAGES, WATERMARK_STEP_PAGES } from './limits.js';
import type { MetadataWork } from './metadata-writer.js';
import { writePages } from './write-pages.js';
import { writeSuperblock } from './write-superblock.js';

/**
 * Makes descriptor changes durable, then publishes them in the remap table: data that the changes speak of is flushed
 * first, so a descriptor never leads to data that a power cut has taken. Answers 0 or a negative errno; after an
 * error the disks may hold the old or the new descriptors, and nothing is published.
 */
export function* writeDescriptors(
  work: MetadataWork,
  changes: readonly DescriptorChange[],
): Procedure<number> {
  const latest = new Map(changes.map((change) => [change.spareUnit, change]));
  if (!(yield* flushData(work, latest))) return -ERRNO.EIO;
  const pages = [...new Set([...latest.keys()].map(pageOfUnit))].sort((a, b) => a - b);
  if (!(yield* initialisePages(work, latest.keys()))) return -ERRNO.EIO;
  // What the table can't hold would be another time when this version of the page is written again (rule W2).
  const timeSeconds = Math.min(yield* perform({ kind: 'wallClock' }), LAST_TIME_SECONDS);
  const overlay = new Map(
    [...latest].map(([spareUnit, change]) => [spareUnit, descriptorOf(work, change, timeSeconds)]),
  );
  for (let first = 0; first < pages.length; first += MAX_COMMIT_PAGES) {
    const durable = yield* writePages(work, pages.slice(first, first + MAX_COMMIT_PAGES), overlay);
    if (!durable) return -ERRNO.EIO;
  }
  publish(work, overlay);
  return 0;
}

/** The spares that hold units of these changes, before anything refers to them. */
function* flushData(work: MetadataWork, changes: ReadonlyMap<number, DescriptorChange>): Procedure<boolean> {
  const { shape } = work.context;
  const mapped = [...changes.values()].filter((change) => change.state === DescriptorState.mapped);
  const targets = [...new Set(mapped.map((change) => shape.targetOf(change.spareUnit)))];
  const results = yield* performAll(targets.map((target): Effect => ({ kind: 'flush', target })));
  if (results.some((result) => result < 0)) return false;
  // A flush that failed earlier, whoever asked for it, may have dropped the data that this one found nothing to do for.
  return mapped.every(({ spareUnit, flushFailuresBefore }) => {
    const failures = work.context.flushFailuresOf(shape.targetOf(spareUnit));
    return flushFailuresBefore === undefined || flushFailuresBefore === failures;
  });
}

/**
 * Pages are undefined until they are written for the first time. Moves the marks of all spares concerned: first empty
 * pages on all copies, then the superblock that says so.
 */
export function* initialisePages(work: MetadataWork, spareUnits: Iterable<number>): Procedure<boolean> {
  const { superblock } = work.state;
  const spares = raiseWatermarks(superblock, spareUnits);
  const blank: number[] = [];
  for (const [index, spare] of spares.entries()) {
    const firstPage = firstPageOfSpare(spare);
    const from = superblock.spares[index]!.initialisedPageCount;
    for (let page = from; page < spare.initialisedPageCount; page += 1) blank.push(firstPage + page);
  }
  if (blank.length === 0) return true;
  // Sequence 1 with nothing in it, also after an attempt that was cut off: the contents are always the same (rule W4).
  for (const page of blank) work.state.pageSequences[page] = 0;
  for (let first = 0; first < blank.length; first += MAX_COMMIT_PAGES) {
    if (!(yield* writePages(work, blank.slice(first, first + MAX_COMMIT_PAGES), new Map()))) return false;
  }
  return (yield* writeSuperblock(work, { spares })) === 0;
}

/** The spares of a set, with marks under which the pages of these units lie, too. */
export function raiseWatermarks(superblock: Superblock, spareUnits: Iterable<number>): SpareRecord[] {
  const needed = superblock.spares.map((spare) => spare.initialisedPageCount);
  for (const spareUnit of spareUnits) {
    const index = superblock.spares.findLastIndex((spare) => spare.firstUnit <= spareUnit);
    const pageOfSpare = pageOfUnit(spareUnit) - firstPageOfSpare(superblock.spares[index]!);
    needed[index] = Math.max(needed[index]!, pageOfSpare + 1);
  }
  return superblock.spares.map((spare, index) => {
    if (needed[index] === spare.initialisedPageCount) return spare;
    const stepped = Math.ceil(needed[index]! / WATERMARK_STEP_PAGES) * WATERMARK_STEP_PAGES;
    return { ...spare, initialisedPageCount: Math.min(stepped, spare.unitCount / DESCRIPTORS_PER_PAGE) };
  });
}

function descriptorOf(work: MetadataWork, change: DescriptorChange, timeSeconds: number): Descriptor {
  const { spareUnit, state, mainUnit, lostMask, moveCount, reason } = change;
  // All zero, as a start takes it: whoever writes this version of the page again must write the same bytes (rule W2).
  if (state === DescriptorState.free) return emptyDescriptor();
  const errorCount = work.context.table.errorCount(spareUnit);
  return { state, mainUnit, lostMask, moveCount, reason, timeSeconds, errorCount };
}

function publish(work: MetadataWork, overlay: ReadonlyMap<number, Descriptor>): void {
  const { table, filter, shape } = work.context;
  for (const [spareUnit, descriptor] of overlay) {
    table.set(spareUnit, descriptor);
    if (descriptor.state !== DescriptorState.mapped) continue;
    filter.set(descriptor.mainUnit * shape.unitBytes, 1, RegionFlag.remapped);
  }
}
