import { Counter, count } from '../engine/counters.js';
import { type Procedure, performAll, spareTarget, type Target } from '../engine/effect.js';
import {
  firstPageOfSpare,
  METADATA_PAGE_BYTES,
  noteOffsetBytes,
  pageOfUnit,
  superblockOffsetBytes,
  TEXT_NOTE_BYTES,
} from '../format/layout.js';
import { sameUuid } from '../format/set-id.js';
import { type Superblock, slotOf } from '../format/superblock.js';
import {
  contentCrc,
  decodeSuperblock,
  encodeSuperblock,
  type SuperblockRefusal,
} from '../format/superblock-codec.js';
import { judgeNote } from '../format/text-note.js';
import { TableComparison } from './compare-with-table.js';
import { flushSpares } from './flush-spares.js';
import { loadDescriptors } from './load-descriptors.js';
import type { MetadataWork } from './metadata-writer.js';
import { repairPages } from './repair-pages.js';
import { writeNotes } from './write-notes.js';
import { writeSuperblock } from './write-superblock.js';

/**
 * Reads both slots of the superblock, and the text note, of every copy that is there. Copies that are not as they should be
 * are updated with all others, twice (rule R2). To be run alone; answers the number of blocks that were wrong.
 */
export function* scrubSuperblock(work: MetadataWork, bufferOffset: number): Procedure<number> {
  const { superblock } = work.state;
  const copies = [...superblock.copies.keys()].filter((copy) => targetOf(work, copy) !== undefined);
  const results = yield* performAll(
    copies.flatMap((copyIndex, nth) => {
      const copy = superblock.copies[copyIndex]!;
      const target = spareTarget(copy.spareIndex);
      const at = bufferOffset + nth * HEAD_BYTES;
      const read = { kind: 'read', target } as const;
      return [
        ...[0, 1].map((slot) => ({
          ...read,
          offsetBytes: superblockOffsetBytes(copy, slot),
          lengthBytes: METADATA_PAGE_BYTES,
          memoryOffset: at + slot * METADATA_PAGE_BYTES,
        })),
        {
          ...read,
          offsetBytes: noteOffsetBytes(copy),
          lengthBytes: TEXT_NOTE_BYTES,
          memoryOffset: at + 2 * METADATA_PAGE_BYTES,
        },
      ];
    }),
  );
  const head = (nth: number): Uint8Array =>
    work.memory.bytes.slice(bufferOffset + nth * HEAD_BYTES, bufferOffset + (nth + 1) * HEAD_BYTES);
  const wrong = copies.filter(
    (copy, nth) => !slotsAreWell(superblock, copy, head(nth), results.slice(3 * nth, 3 * nth + 2)),
  );
  const notes = copies.filter(
    (copyIndex, nth) =>
      results[3 * nth + 2]! < 0 ||
      judgeNote(head(nth).subarray(2 * METADATA_PAGE_BYTES), superblock, copyIndex) !== 'current',
  );
  for (let update = 0; update < (wrong.length > 0 ? 2 : 0); update += 1) yield* writeSuperblock(work, {});
  if (notes.length > 0) {
    yield* writeNotes(superblock, notes, work.memory, work.bufferOffset);
    yield* flushSpares(notes.map((copyIndex) => superblock.copies[copyIndex]!.spareIndex));
  }
  count(work.context.counters, Counter.metadataRepairs, wrong.length + notes.length);
  return wrong.length + notes.length;
}

/**
 * Reads the next pages, from `fromPage` on, of every copy that is there, and writes anew what is not as it was written last.
 * To be run alone: no page changes meanwhile, and what is written comes from the map in memory.
 */
export function* scrubPages(
  work: MetadataWork,
  bufferOffset: number,
  fromPage: number,
): Procedure<PageScrub> {
  const { state, context } = work;
  const firstPage = nextWrittenPage(work, fromPage);
  const endPage = firstPage + PAGES_PER_STEP;
  const outOfStep: number[] = [];
  const comparison = new TableComparison(context.table);
  // What a commit that failed has left there is no damage; the next one takes it back.
  const doubtful = new Set([...context.doubtfulPlaces].map(pageOfUnit));
  const load = yield* loadDescriptors({
    superblock: state.superblock,
    targetOfSpare: (index) => (context.isGone(spareTarget(index)) ? undefined : spareTarget(index)),
    memory: work.memory,
    bufferOffset,
    pages: { firstPage, endPage },
    acceptVersions: () => comparison.beginPage(),
    accept: (spareUnit, descriptor) => comparison.take(spareUnit, descriptor),
    acceptPage: (page, sequence) => {
      if (sequence !== state.pageSequences[page]) outOfStep.push(page);
      else if (!doubtful.has(page) && !comparison.agreesOn(page)) outOfStep.push(page);
    },
  });
  const repairedBlocks = yield* repairPages(work, load, [...outOfStep, ...load.lostPages]);
  count(context.counters, Counter.metadataRepairs, repairedBlocks);
  return { repairedBlocks, nextPage: endPage };
}

export interface PageScrub {
  readonly repairedBlocks: number;
  /** Where to go on. */
  readonly nextPage: number;
}

/** 128 KiB of each copy: some milliseconds of a disk. */
const PAGES_PER_STEP = 16;
/** Superblock slots and note of one copy. */
const HEAD_BYTES = 2 * METADATA_PAGE_BYTES + TEXT_NOTE_BYTES;

function targetOf({ state, context }: MetadataWork, copyIndex: number): Target | undefined {
  const target = spareTarget(state.superblock.copies[copyIndex]!.spareIndex);
  return context.isGone(target) ? undefined : target;
}

/** The slot of the current superblock holds it; the other one holds nothing that could be newer, or was meant for elsewhere. */
function slotsAreWell(
  current: Superblock,
  copyIndex: number,
  head: Uint8Array,
  results: readonly number[],
): boolean {
  return [0, 1].every((slot) => {
    if (results[slot]! < 0) return false;
    const at = slot * METADATA_PAGE_BYTES;
    const found = decodeSuperblock(head.subarray(at, at + METADATA_PAGE_BYTES));
    if (!found.ok) return slot !== slotOf(current.sequence) && IS_NOTHING.has(found.error);
    const { superblock, ...place } = found.value;
    const isOurs = sameUuid(superblock.setId, current.setId);
    if (!isOurs || place.copyIndex !== copyIndex || place.slot !== slot) return false;
    if (slot !== slotOf(current.sequence)) return superblock.sequence < current.sequence;
    return superblock.sequence === current.sequence && place.contentCrc === contentCrcOf(current, copyIndex);
  });
}

/** What may lie beside the current superblock without a threat that it is taken for a newer one. */
const IS_NOTHING: ReadonlySet<SuperblockRefusal> = new Set<SuperblockRefusal>(['blank', 'notOurs']);

function contentCrcOf(superblock: Superblock, copyIndex: number): number {
  const block = new Uint8Array(METADATA_PAGE_BYTES);
  encodeSuperblock(block, superblock, copyIndex);
  return contentCrc(block);
}

/** Pages above the marks were never written: the way over them is one step. */
function nextWrittenPage({ state }: MetadataWork, page: number): number {
  for (const spare of state.superblock.spares) {
    const first = firstPageOfSpare(spare);
    if (page < first + spare.initialisedPageCount) return Math.max(page, first);
  }
  return state.superblock.pageCount;
}
