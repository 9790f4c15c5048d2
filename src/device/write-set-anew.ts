import { ERRNO } from '../base/errno.js';
import type { Procedure } from '../engine/effect.js';
import { spareTarget } from '../engine/effect.js';
import { DESCRIPTORS_PER_PAGE, firstPageOfSpare, MAX_SEQUENCE } from '../format/layout.js';
import type { PageVersions } from '../format/page-choice.js';
import type { Superblock } from '../format/superblock.js';
import type { SuperblockChoice } from '../format/superblock-choice.js';
import { writtenPages } from '../format/written-pages.js';
import type { IoMemory } from '../ports/io-memory.js';
import { MAX_COMMIT_PAGES } from './limits.js';
import { loadDescriptors } from './load-descriptors.js';
import { offlineWork } from './offline-work.js';
import type { SetDump } from './read-dump.js';
import { emptySet } from './read-map.js';
import { tableOf } from './replace-map.js';
import { type Anchor, scanAnchors, wipeAnchors } from './wipe-anchors.js';
import { raiseWatermarks } from './write-descriptors.js';
import { writeNotes } from './write-notes.js';
import { writePages } from './write-pages.js';
import { writeSuperblock } from './write-superblock.js';

/**
 * Writes a whole set, where none is left that could be built on. Pages of it may still lie about, or hide behind blocks
 * that can't be read now: all that is written gets higher numbers than they can have, and whatever page looks like one of
 * the set's is written, too. The superblock comes last; before it there is no set. Answers 0 or EIO; EOVERFLOW
 * where what is left has numbers that leave no room above.
 */
export function* writeSetAnew(input: AnewInput): Procedure<number> {
  const { dump, memory, writeOffset } = input;
  const leftOver = yield* findLeftOvers(input);
  const highest = Math.max(leftOver.sequence, leftOver.generation);
  if (highest > MAX_SEQUENCE - 2 * HIDDEN_UPDATES_MAX) return ERRNO.EOVERFLOW;
  const anchorsAreClear = yield* wipeAnchors({ ...input, superblock: dump.superblock }, leftOver.anchors);
  const isVirgin = leftOver.lastPages.every((page) => page === -1) && anchorsAreClear;
  const sequence = isVirgin ? 0 : evenAbove(leftOver.sequence + HIDDEN_UPDATES_MAX);
  const superblock = firstSuperblock(dump, leftOver, sequence);
  const choice = choiceOf(superblock);
  const empty = emptySet(choice);
  const set = { ...empty, table: tableOf(dump.entries, empty.shape.spareUnitCount) };
  const work = offlineWork(set, memory, writeOffset);
  const pages = [...writtenPages(superblock.spares)];
  for (const page of pages) work.state.pageSequences[page] = sequence;
  for (let first = 0; first < pages.length; first += MAX_COMMIT_PAGES)
    if (!(yield* writePages(work, pages.slice(first, first + MAX_COMMIT_PAGES), new Map()))) return ERRNO.EIO;
  yield* writeNotes(superblock, [...superblock.copies.keys()], memory, writeOffset);
  return yield* writeSuperblock(work, {});
}

export interface AnewInput {
  readonly dump: SetDump;
  readonly memory: IoMemory;
  /** Room for `RECOVERY_READ_BYTES` of each copy. */
  readonly readOffset: number;
  /** Room for `MAX_COMMIT_PAGES` pages of each copy. */
  readonly writeOffset: number;
}

/** More updates than any page, and any superblock, has had in its life. */
const HIDDEN_UPDATES_MAX = 2 ** 40;

interface LeftOvers {
  readonly anchors: readonly Anchor[];
  /** By spare: the last page, from its first, that something lies at which is or may be this set's; -1: none. */
  readonly lastPages: number[];
  /** The highest that was found, of pages and superblocks. */
  sequence: number;
  generation: number;
}

function* findLeftOvers({ dump, memory, readOffset }: AnewInput): Procedure<LeftOvers> {
  const { superblock } = dump;
  const anchors = yield* scanAnchors({ superblock, memory, readOffset });
  const leftOver: LeftOvers = {
    anchors,
    lastPages: superblock.spares.map(() => -1),
    sequence: Math.max(0, ...anchors.map(({ sequence }) => sequence)),
    generation: Math.max(0, ...anchors.map(({ generation }) => generation)),
  };
  const all = superblock.spares.map((spare) => ({
    ...spare,
    initialisedPageCount: spare.unitCount / DESCRIPTORS_PER_PAGE,
  }));
  yield* loadDescriptors({
    superblock: { ...superblock, spares: all, generation: Number.MAX_SAFE_INTEGER },
    targetOfSpare: spareTarget,
    memory,
    bufferOffset: readOffset,
    accept: () => {},
    acceptPage: () => {},
    acceptVersions: (page, versions) => noteVersions(leftOver, superblock, page, versions),
  });
  return leftOver;
}

function noteVersions(into: LeftOvers, superblock: Superblock, page: number, versions: PageVersions): void {
  for (const [index, state] of versions.states.entries()) {
    if (state === 'blank' || state === 'notOurs' || state === 'foreignSet') continue;
    const spareIndex = superblock.spares.findLastIndex((spare) => firstPageOfSpare(spare) <= page);
    into.lastPages[spareIndex] = page - firstPageOfSpare(superblock.spares[spareIndex]!);
    into.sequence = Math.max(into.sequence, versions.sequences[index]!);
    into.generation = Math.max(into.generation, versions.generations[index]!);
  }
}

function firstSuperblock(
  { superblock, entries }: SetDump,
  leftOver: LeftOvers,
  sequence: number,
): Superblock {
  const marked = superblock.spares.map((spare, index) => ({
    ...spare,
    initialisedPageCount: leftOver.lastPages[index]! + 1,
  }));
  const spares = raiseWatermarks(
    { ...superblock, spares: marked },
    entries.map(([spareUnit]) => spareUnit),
  );
  return { ...superblock, spares, sequence, generation: leftOver.generation + 1 };
}

function choiceOf(superblock: Superblock): SuperblockChoice {
  return {
    superblock,
    readOnly: false,
    deviceOfSpare: [...superblock.spares.keys()],
    missingSpares: [],
    staleSpares: [],
    repairs: [],
    needsTwoUpdates: false,
  };
}

function evenAbove(sequence: number): number {
  return sequence + 2 - (sequence % 2);
}
