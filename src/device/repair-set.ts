import { ERRNO } from '../base/errno.js';
import { Counter, count } from '../engine/counters.js';
import type { Procedure } from '../engine/effect.js';
import { pageOfUnit } from '../format/layout.js';
import type { BlockFinding } from './block-findings.js';
import { flushSpares } from './flush-spares.js';
import type { PageRepair } from './load-descriptors.js';
import type { MetadataWork } from './metadata-writer.js';
import { repairPages } from './repair-pages.js';
import type { SurveyedSet } from './survey-set.js';
import { withoutCleanMark } from './without-clean-mark.js';
import { writeNotes } from './write-notes.js';
import { repairSuperblock, writeSuperblock } from './write-superblock.js';

/** What a repair would do, and what it can't. */
export interface RepairPlan {
  /** Copies that get the current superblock. */
  readonly superblockCopies: readonly number[];
  /** The superblock is updated twice, so that nothing hidden in a damaged slot can win later. */
  readonly updatesSuperblockTwice: boolean;
  readonly inPlacePages: readonly PageRepair[];
  readonly pagesWrittenTwice: readonly number[];
  readonly noteCopies: readonly number[];
  /** Pages without any valid version: no repair knows what they said. */
  readonly lostPages: readonly number[];
  /** Spare units whose entries contradict the layout; their pages are left as they are. */
  readonly impossibleUnits: readonly number[];
}

/** Writing a page means writing what the table says of it, so pages of which the table is not sure are left alone. */
export function planRepair({ choice, load, intake, findings, notes }: SurveyedSet): RepairPlan {
  const isSure = load.lostPages.length === 0 && intake.impossible.length === 0;
  const unsure = new Set(isSure ? [] : [...intake.impossible.map(pageOfUnit), ...intake.supersededPages]);
  // What may be outdated is accepted by a repair that is forced, and is current from then on.
  const wanted = [...load.repairTwice, ...load.maybeOutdatedPages, ...intake.supersededPages];
  const twice = new Set(wanted.filter((page) => !unsure.has(page)));
  return {
    superblockCopies: choice.repairs.map((repair) => repair.copyIndex),
    updatesSuperblockTwice: choice.needsTwoUpdates || findings.some(hidesSuperblock),
    inPlacePages: load.inPlaceRepairs.filter(({ page }) => !unsure.has(page) && !twice.has(page)),
    pagesWrittenTwice: [...twice],
    noteCopies: isSure ? notesToWrite(notes) : [],
    lostPages: load.lostPages,
    impossibleUnits: intake.impossible,
  };
}

/** Only of a map that is complete: otherwise the note may be what tells which set this is, for a restore. */
function notesToWrite(notes: SurveyedSet['notes']): readonly number[] {
  return [...notes.keys()].filter((copy) => notes[copy] !== undefined && notes[copy] !== 'current');
}

/** True if there is nothing that a repair would write. */
export function isEmptyPlan(plan: RepairPlan): boolean {
  const { superblockCopies, updatesSuperblockTwice, inPlacePages, pagesWrittenTwice, noteCopies } = plan;
  const lists = [superblockCopies, inPlacePages, pagesWrittenTwice, noteCopies];
  return !updatesSuperblockTwice && lists.every((list) => list.length === 0);
}

/**
 * What a start would do (rules R0 to R3 of docs/on-disk-format.md), without opening the set: no state, no map, no mark of
 * a clean stop changes, though a power cut may take the mark. Answers 0, or EIO if the superblock could not be written. A block that can't be written stays bad.
 */
export function* repairSet(work: MetadataWork, plan: RepairPlan): Procedure<number> {
  // What was read may lie in a cache only, of a process that was killed, and what is written goes over the one before it.
  if ((yield* flushSpares(work.state.superblock.spares.keys())).size === 0) return ERRNO.EIO;
  if (plan.superblockCopies.length > 0) yield* repairSuperblock(work, plan.superblockCopies);
  work.state.superblockMayHide = plan.updatesSuperblockTwice;
  // The set may hold something else afterwards than what was copied of it.
  const isCopied = work.state.superblock.copyPosition !== undefined;
  const updates = plan.updatesSuperblockTwice || isCopied ? 2 : 0;
  for (let update = 0; update < updates; update += 1)
    if ((yield* writeSuperblock(work, { copyPosition: undefined })) !== 0) return ERRNO.EIO;
  const pages = repairPagesOf(work, plan);
  const errno = plan.pagesWrittenTwice.length > 0 ? yield* withoutCleanMark(work, pages) : yield* pages;
  if (errno !== 0) return errno;
  const { superblock } = work.state;
  yield* writeNotes(superblock, plan.noteCopies, work.memory, work.bufferOffset);
  yield* flushSpares(plan.noteCopies.map((copyIndex) => superblock.copies[copyIndex]!.spareIndex));
  return 0;
}

function* repairPagesOf(work: MetadataWork, plan: RepairPlan): Procedure<number> {
  const load = { inPlaceRepairs: plan.inPlacePages, repairTwice: plan.pagesWrittenTwice };
  const pageCount = yield* repairPages(work, load, []);
  count(work.context.counters, Counter.metadataRepairs, plan.superblockCopies.length + pageCount);
  return 0;
}

function hidesSuperblock({ block, isCurrentSlot }: BlockFinding): boolean {
  return block === 'superblock' && !isCurrentSlot;
}
