import { Counter, count } from '../engine/counters.js';
import type { Effect, Procedure } from '../engine/effect.js';
import { performAll, spareTarget } from '../engine/effect.js';
import { type Descriptor, emptyDescriptor, sealPage, writeDescriptor } from '../format/descriptor-page.js';
import { sequenceAfterHidden } from '../format/hidden-updates.js';
import {
  type CopyLayout,
  DESCRIPTORS_PER_PAGE,
  descriptorOffsetBytes,
  holdsPage,
  MAX_SEQUENCE,
  METADATA_PAGE_BYTES,
  pageOffsetBytes,
} from '../format/layout.js';
import { slotOf } from '../format/superblock.js';
import { type FlushWork, flushFailuresOf, flushSpares, withoutFlushFailure } from './flush-spares.js';
import { MAX_COMMIT_PAGES } from './limits.js';
import type { PageRepair } from './load-descriptors.js';
import type { MetadataWork } from './metadata-writer.js';
import { flushCopies, NOT_WRITTEN } from './write-superblock.js';

/** Writes the next version of each page to all copies and flushes; true if each page is durable on some copy. */
export function* writePages(
  work: PageWork,
  pages: readonly number[],
  overlay: ReadonlyMap<number, Descriptor>,
): Procedure<boolean> {
  const { state, context } = work;
  const { copies } = state.superblock;
  const before = pages.map((page) => state.pageSequences[page]!);
  const sequences = pages.map((page) => nextSequence(work, page));
  if (sequences.some((sequence) => sequence > MAX_SEQUENCE)) return false;
  for (const [nth, page] of pages.entries()) {
    state.pageSequences[page] = sequences[nth]!;
    state.pagesThatMayHide.delete(page);
  }
  const sent = copies.flatMap((copy, copyIndex) =>
    pages.flatMap((page, nth) => (holdsPage(copy, page) ? [{ copyIndex, page, nth }] : [])),
  );
  count(context.counters, Counter.metadataPageWrites, sent.length);
  const failuresBefore = flushFailuresOf(work);
  const results = yield* performAll(
    sent.map(({ copyIndex, page, nth }) => pageWrite(work, page, nth, copyIndex, overlay)),
  );
  const taken = new Set(
    sent.filter((_, index) => results[index]! >= 0).map(({ copyIndex, nth }) => placeOf(copyIndex, nth)),
  );
  const hasPage = (copyIndex: number, nth: number): boolean => taken.has(placeOf(copyIndex, nth));
  const written = copies.filter((_, copyIndex) => pages.some((_page, nth) => hasPage(copyIndex, nth)));
  const flushed = yield* flushSpares(written.map((copy) => copy.spareIndex));
  const holding = withoutFlushFailure(work, flushed, failuresBefore);
  const isDurable = (copyIndex: number, nth: number): boolean =>
    hasPage(copyIndex, nth) && holding.has(copies[copyIndex]!.spareIndex);
  const lost: number[] = [];
  for (const [nth, page] of pages.entries()) {
    noteLag(work, page, before[nth]!, (copyIndex) => isDurable(copyIndex, nth));
    const mask = copies.reduce((bits, _copy, index) => bits | (isDurable(index, nth) ? 1 << index : 0), 0);
    if (mask === 0) lost.push(page);
    else state.proof.noteUpdate(page, mask);
    state.unsettledPages.delete(page);
  }
  for (const page of lost) {
    // See `writeSuperblock`: the next attempt gets the failed number plus two (rule W2).
    state.pageSequences[page]! += 1;
    state.unsettledPages.add(page);
  }
  // A copy that missed a page lacks it until the page is written again, or the next start repairs it.
  const missed = sent.filter(({ copyIndex, nth }) => !isDurable(copyIndex, nth));
  for (const { copyIndex } of missed) state.lag.noteIncompleteCopy(copies[copyIndex]!.spareIndex);
  count(context.counters, Counter.metadataWriteErrors, missed.length);
  return lost.length === 0;
}

function nextSequence({ state }: PageWork, page: number): number {
  const before = state.pageSequences[page]!;
  return state.pagesThatMayHide.has(page)
    ? sequenceAfterHidden(before, state.superblock.openCount)
    : before + 1;
}

/** Of a page in a batch, on one copy. */
function placeOf(copyIndex: number, nth: number): number {
  return copyIndex * MAX_COMMIT_PAGES + nth;
}

/** The part of `MetadataWork` that this needs: an import has no device at work. */
export type PageWork = Omit<MetadataWork, 'context'> & {
  readonly context: Pick<MetadataWork['context'], 'counters' | 'table'> & FlushWork['context'];
};

/** Writes the present version of a page to the copies of `copyMask`, in place (rule R3); true if any took it. */
export function* repairPage(
  work: MetadataWork,
  { page, copyMask, generation }: PageRepair,
): Procedure<boolean> {
  const { copies } = work.state.superblock;
  const copyIndexes = [...copies.keys()].filter((copyIndex) => ((copyMask >>> copyIndex) & 1) === 1);
  const failuresBefore = flushFailuresOf(work);
  const written = yield* performAll(
    copyIndexes.map((copyIndex) => pageWrite(work, page, 0, copyIndex, new Map(), generation)),
  );
  const results = copies.map(() => NOT_WRITTEN);
  for (const [index, copyIndex] of copyIndexes.entries()) results[copyIndex] = written[index]!;
  const durable = yield* flushCopies(work, results, failuresBefore);
  for (const [copyIndex, { spareIndex }] of copies.entries()) {
    if (durable[copyIndex] !== true) continue;
    work.state.lag.notePage(spareIndex, page, 0, true);
    work.state.proof.noteRepair(page, 1 << copyIndex);
  }
  return durable.includes(true);
}

/** Which spares have taken this update of a page, and which miss it; those that have no copy with this page do not. */
function noteLag(
  { state }: PageWork,
  page: number,
  sequenceBefore: number,
  isDurable: (copyIndex: number) => boolean,
): void {
  const { copies, spares } = state.superblock;
  for (const spareIndex of spares.keys()) {
    const isOnSpare = (copy: CopyLayout): boolean => copy.spareIndex === spareIndex && holdsPage(copy, page);
    if (!copies.some(isOnSpare)) continue;
    const tookIt = copies.some((copy, index) => isOnSpare(copy) && isDurable(index));
    state.lag.notePage(spareIndex, page, sequenceBefore, tookIt);
  }
}

function pageWrite(
  work: PageWork,
  page: number,
  nth: number,
  copyIndex: number,
  overlay: ReadonlyMap<number, Descriptor>,
  generation = work.state.superblock.generation,
): Effect {
  const { state, memory } = work;
  const copy = state.superblock.copies[copyIndex]!;
  const sequence = state.pageSequences[page]!;
  const slot = slotOf(sequence);
  const memoryOffset = work.bufferOffset + placeOf(copyIndex, nth) * METADATA_PAGE_BYTES;
  const into = memory.bytes.subarray(memoryOffset, memoryOffset + METADATA_PAGE_BYTES);
  fillPage(work, page, into, overlay);
  const { setId } = state.superblock;
  sealPage(into, { setId, copyIndex, slot, pageIndex: page }, sequence, generation);
  return {
    kind: 'write',
    target: spareTarget(copy.spareIndex),
    offsetBytes: pageOffsetBytes(copy, page, slot),
    lengthBytes: METADATA_PAGE_BYTES,
    memoryOffset,
  };
}

/** All descriptors of a page as the table has them, except those that are being changed. */
function fillPage(
  work: PageWork,
  page: number,
  into: Uint8Array,
  overlay: ReadonlyMap<number, Descriptor>,
): void {
  const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
  const known = emptyDescriptor();
  const firstUnit = page * DESCRIPTORS_PER_PAGE;
  for (let spareUnit = firstUnit; spareUnit < firstUnit + DESCRIPTORS_PER_PAGE; spareUnit += 1) {
    const changed = overlay.get(spareUnit);
    if (changed === undefined) work.context.table.get(spareUnit, known);
    writeDescriptor(view, descriptorOffsetBytes(spareUnit), changed ?? known);
  }
}
