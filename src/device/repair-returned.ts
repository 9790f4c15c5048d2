import { Counter, count } from '../engine/counters.js';
import type { Procedure } from '../engine/effect.js';
import { spareTarget } from '../engine/effect.js';
import { DescriptorState } from '../format/descriptor-page.js';
import { isInitialised, pageOfUnit } from '../format/layout.js';
import { MAX_COMMIT_PAGES } from './limits.js';
import { loadDescriptors } from './load-descriptors.js';
import type { MetadataWork } from './metadata-writer.js';
import { repairPages } from './repair-pages.js';
import { writePages } from './write-pages.js';
import { repairSuperblock, writeSuperblock } from './write-superblock.js';

/**
 * A spare is back: descriptors in doubt are withdrawn, and what it has missed or lost of the map is written to it again,
 * as at a start (P5). To be run alone (`MetadataWriter.run`). False: it does not take metadata, so it is not back. A page that
 * it does not take while it answers is a bad place, and no reason to stay away.
 */
export function* repairReturned(
  work: MetadataWork,
  spareIndex: number,
  recoveryOffset: number,
  answers: () => Procedure<boolean>,
): Procedure<boolean> {
  const { state } = work;
  if (!(yield* takesSuperblock(work, spareIndex))) return false;
  if (!(yield* withdrawDoubts(work))) return false;
  for (let attempt = 0; attempt < REPAIR_ATTEMPTS; attempt += 1) {
    state.lag.forgetIncompleteCopies(spareIndex);
    // Twice, so that both slots of every copy are known (rule R2 of docs/on-disk-format.md).
    for (let update = 0; update < 2; update += 1) {
      if ((yield* writeSuperblock(work, {})) !== 0 || state.lag.missesSuperblock(spareIndex)) return false;
    }
    yield* repairMap(work, spareIndex, recoveryOffset);
    if (!state.lag.isBehind(spareIndex) && !state.lag.hasIncompleteCopy(spareIndex)) return true;
    // It may have gone away in the midst of it, and be there again.
    if (!(yield* answers())) return false;
  }
  return true;
}

/**
 * The superblock that it has missed is written to it alone, in place: each look at a spare that only gives what it holds
 * would cost the others an update, and it would look older with each.
 */
function* takesSuperblock(work: MetadataWork, spareIndex: number): Procedure<boolean> {
  const { superblock, lag } = work.state;
  if (!lag.isSuperblockDurable || !lag.missesSuperblock(spareIndex)) return true;
  const copyIndexes = [...superblock.copies.keys()];
  yield* repairSuperblock(
    work,
    copyIndexes.filter((index) => superblock.copies[index]!.spareIndex === spareIndex),
  );
  return !lag.missesSuperblock(spareIndex);
}

function* repairMap(work: MetadataWork, spareIndex: number, recoveryOffset: number): Procedure<void> {
  const { state, context, memory } = work;
  const outOfStep: number[] = [];
  const load = yield* loadDescriptors({
    superblock: state.superblock,
    targetOfSpare: (index) => {
      const isThere = index === spareIndex || !context.isGone(spareTarget(index));
      return isThere ? spareTarget(index) : undefined;
    },
    memory,
    bufferOffset: recoveryOffset,
    accept: () => {},
    acceptPage: (page, sequence) => {
      if (sequence !== state.pageSequences[page]) outOfStep.push(page);
    },
  });
  const repairedCount = yield* repairPages(work, load, [...outOfStep, ...load.lostPages]);
  count(context.counters, Counter.metadataRepairs, repairedCount);
}

const REPAIR_ATTEMPTS = 2;

/**
 * Commits that failed may have left descriptors on disk that nobody stands for. Their pages are written anew from the
 * table, which does not have them; then their units are as they were, and the spare units are free again.
 */
function* withdrawDoubts(work: MetadataWork): Procedure<boolean> {
  const { allocator, doubtfulPlaces, doubtfulUnits, table } = work.context;
  const places = [...doubtfulPlaces];
  const units = [...doubtfulUnits.keys()];
  // Above the watermark no descriptor can have been written yet, and nobody reads there.
  const pages = [...new Set(places.map(pageOfUnit))].filter((page) =>
    isInitialised(work.state.superblock.spares, page),
  );
  for (let first = 0; first < pages.length; first += MAX_COMMIT_PAGES) {
    if (!(yield* writePages(work, pages.slice(first, first + MAX_COMMIT_PAGES), new Map()))) return false;
  }
  for (const place of places) {
    doubtfulPlaces.delete(place);
    if (table.state(place) === DescriptorState.free) allocator.release(place);
  }
  for (const unit of units) doubtfulUnits.delete(unit);
  return true;
}
