import { ERRNO } from '../base/errno.js';
import { type Effect, type Procedure, perform, performAll, spareTarget } from '../engine/effect.js';
import { RemapTable } from '../engine/remap-table.js';
import { DescriptorState, emptyDescriptor } from '../format/descriptor-page.js';
import {
  DESCRIPTORS_PER_PAGE,
  endPageOfSpare,
  firstPageOfSpare,
  MAX_SEQUENCE,
  METADATA_PAGE_BYTES,
  superblockAnchors,
} from '../format/layout.js';
import type { RemovedSparePlan } from '../format/plan-removed-spare.js';
import { featuresWith, type SpareRecord, type Superblock } from '../format/superblock.js';
import { writtenPages } from '../format/written-pages.js';
import { flushSpares } from './flush-spares.js';
import { MAX_COMMIT_PAGES } from './limits.js';
import type { MetadataWork } from './metadata-writer.js';
import { wipeNotes } from './wipe-notes.js';
import { initialisePages } from './write-descriptors.js';
import { writePages } from './write-pages.js';
import { superblockWrite, writeSuperblock } from './write-superblock.js';

/**
 * Takes a spare on which nothing lives out of a set that is not at work (rule W11 of docs/on-disk-format.md). Unit numbers
 * change, so all pages are written anew, as a change of several pages (W5): a power cut leaves the set with the spare or
 * without it. It has to be repaired then, before it can be marked as cleanly stopped again. What the spare held of the set
 * is zeroed at the end, if it takes that. Answers 0 or an errno: EBUSY where something lives on the spare; EIO, after which
 * the set may be with or without it.
 */
export function* removeSpare(
  work: MetadataWork,
  plan: RemovedSparePlan,
  spareIndex: number,
): Procedure<number> {
  const { state, context } = work;
  if (holdsUnits(context.table, state.superblock.spares[spareIndex]!)) return ERRNO.EBUSY;
  // Pages with other numbers lie beside the new ones until these are repaired, which on a marked set would mean that the
  // newest is lost (rule R4).
  if (state.superblock.cleanShutdown && (yield* writeSuperblock(work, { cleanShutdown: false })) !== 0)
    return ERRNO.EIO;
  const next = yield* markWrittenPages(work, superblockWithout(state.superblock, plan, spareIndex));
  if (next === undefined) return ERRNO.EIO;
  const before = state.superblock;
  if (before.generation >= MAX_SEQUENCE || before.sequence >= MAX_SEQUENCE) return ERRNO.EOVERFLOW;
  if (!(yield* writeNewPages(work, plan, next))) return ERRNO.EIO;
  const updatedSeconds = yield* perform({ kind: 'wallClock' });
  const last: Superblock = {
    ...next,
    updatedSeconds,
    sequence: before.sequence + 1,
    generation: before.generation + 1,
  };
  if (!(yield* writeSuperblocks(work, last, spareIndex))) return ERRNO.EIO;
  yield* forget(work, before.spares[spareIndex]!, spareIndex);
  return 0;
}

function holdsUnits(table: RemapTable, { firstUnit, unitCount }: SpareRecord): boolean {
  for (let unit = firstUnit; unit < firstUnit + unitCount; unit += 1)
    if (table.state(unit) === DescriptorState.mapped) return true;
  return false;
}

function superblockWithout(before: Superblock, { layout }: RemovedSparePlan, spareIndex: number): Superblock {
  const records = before.spares.filter((_, index) => index !== spareIndex);
  const spares = layout.spares.map((spare, index) => ({ ...records[index]!, ...spare }));
  return { ...before, ...layout, spares, features: featuresWith(before.features, layout) };
}

/**
 * Marks as written what counts from now on, and everything else that was written at the place of a page with a new number:
 * above a mark nothing may lie that could be taken for a page when that is used first. All of it must have been written
 * before, whatever it stands for now (W4). Undefined: it could not be.
 */
function* markWrittenPages(work: MetadataWork, next: Superblock): Procedure<Superblock | undefined> {
  for (let known = -1; ; ) {
    const spares = next.spares.map((spare) => markOver(spare, work.state.superblock.spares));
    const pages = [...writtenPages(spares)];
    if (pages.length === known) return { ...next, spares };
    known = pages.length;
    const units = pages.map((page) => page * DESCRIPTORS_PER_PAGE);
    if (!(yield* initialisePages(work, units))) return undefined;
  }
}

/** `before`: with their old numbers. */
function markOver(spare: SpareRecord, before: readonly SpareRecord[]): SpareRecord {
  const first = firstPageOfSpare(spare);
  const end = endPageOfSpare(spare);
  const writtenEnds = before
    .map((other) => ({
      from: firstPageOfSpare(other),
      to: firstPageOfSpare(other) + other.initialisedPageCount,
    }))
    .filter(({ from, to }) => from < end && to > first && to > from)
    .map(({ to }) => Math.min(to, end) - first);
  return { ...spare, initialisedPageCount: Math.max(spare.initialisedPageCount, ...writtenEnds) };
}

/** All that count, with the new numbers of pages and copies, in the slots that the present versions are not in. */
function* writeNewPages(work: MetadataWork, plan: RemovedSparePlan, next: Superblock): Procedure<boolean> {
  const { state, context } = work;
  const before = state.superblock;
  const copies = next.copies.map((copy, index) => ({
    ...copy,
    spareIndex: before.copies[plan.formerCopies[index]!]!.spareIndex,
  }));
  // Spares have their old numbers until the end: these say where to write.
  state.superblock = { ...before, copies, generation: before.generation + 1 };
  const table = renumbered(context.table, plan, next);
  const prepared = { ...work, context: { ...context, table } };
  const pages = [...writtenPages(next.spares)];
  let isWritten = true;
  for (let first = 0; isWritten && first < pages.length; first += MAX_COMMIT_PAGES)
    isWritten = yield* writePages(prepared, pages.slice(first, first + MAX_COMMIT_PAGES), new Map());
  state.superblock = before;
  return isWritten;
}

function renumbered(
  old: RemapTable,
  { formerPage }: RemovedSparePlan,
  { pageCount }: Superblock,
): RemapTable {
  const table = RemapTable.allocate(pageCount * DESCRIPTORS_PER_PAGE);
  const descriptor = emptyDescriptor();
  for (let page = 0; page < pageCount; page += 1) {
    for (let nth = 0; nth < DESCRIPTORS_PER_PAGE; nth += 1) {
      const oldUnit = formerPage(page) * DESCRIPTORS_PER_PAGE + nth;
      if (old.state(oldUnit) === DescriptorState.free) continue;
      old.get(oldUnit, descriptor);
      table.set(page * DESCRIPTORS_PER_PAGE + nth, descriptor);
    }
  }
  return table;
}

/** True if one copy has it for good: that is the moment at which the spare is out. */
function* writeSuperblocks(work: MetadataWork, last: Superblock, removed: number): Procedure<boolean> {
  const targetOf = (spareIndex: number): number =>
    spareTarget(spareIndex < removed ? spareIndex : spareIndex + 1);
  const results = yield* performAll(
    last.copies.map(
      ({ spareIndex }, copyIndex): Effect => ({
        ...superblockWrite(work, last, copyIndex),
        target: targetOf(spareIndex),
      }),
    ),
  );
  const written = last.copies.filter((_, copyIndex) => results[copyIndex]! >= 0);
  const flushes = [...new Set(written.map(({ spareIndex }) => targetOf(spareIndex)))];
  const flushed = yield* performAll(flushes.map((target): Effect => ({ kind: 'flush', target })));
  return flushed.some((result) => result >= 0);
}

function* forget(work: MetadataWork, { sizeBytes }: SpareRecord, spareIndex: number): Procedure<void> {
  const { memory, bufferOffset } = work;
  yield* wipeNotes({ target: spareTarget(spareIndex), sizeBytes, memory, bufferOffset });
  memory.bytes.fill(0, bufferOffset, bufferOffset + METADATA_PAGE_BYTES);
  const target = spareTarget(spareIndex);
  yield* performAll(
    superblockAnchors(sizeBytes).map(
      (offsetBytes): Effect => ({
        kind: 'write',
        ...{ target, offsetBytes, lengthBytes: METADATA_PAGE_BYTES, memoryOffset: bufferOffset },
      }),
    ),
  );
  yield* flushSpares([spareIndex]);
}
