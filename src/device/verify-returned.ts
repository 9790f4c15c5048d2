import type { Procedure, TransferEffect } from '../engine/effect.js';
import { MAIN, performAll } from '../engine/effect.js';
import { METADATA_PAGE_BYTES, superblockAnchors, superblockOffsetBytes } from '../format/layout.js';
import type { PageVersionState, PageVersions } from '../format/page-choice.js';
import { sameUuid } from '../format/set-id.js';
import { type Superblock, slotOf } from '../format/superblock.js';
import type { DecodedSuperblock, SuperblockRefusal } from '../format/superblock-codec.js';
import { identifyingSuperblocks, newestOf, type ScannedDevice } from '../format/superblock-evidence.js';
import type { IoMemory } from '../ports/io-memory.js';
import type { ContentWatch } from './content-watch.js';
import { scanDevice } from './find-superblock.js';
import { loadDescriptors } from './load-descriptors.js';
import type { MetadataState } from './metadata-state.js';
import type { ReturnCandidate, ReturnRefusal } from './return-candidate.js';

/**
 * Is this the main device that was gone (P6)? One with the serial number or WWN of the one that vanished is, and so is
 * the same file. Anything else has to show its contents: blocks that nobody wrote must be as they were, and some of them
 * must say something. The effects' main device is the candidate; nothing is written.
 */
export function* verifyMain(
  proof: ReturnCandidate['proof'],
  content: ContentWatch | undefined,
): Procedure<ReturnRefusal | undefined> {
  if (proof !== 'samePath') return undefined;
  if (content === undefined) return { kind: 'unrecognised' };
  const { differingCount, agreeingCount, unreadableCount } = yield* content.compare();
  if (differingCount > 0) return { kind: 'contentDiffers', differingCount };
  if (agreeingCount >= MIN_AGREEING) return undefined;
  return unreadableCount > 0 ? SILENT_MAIN : { kind: 'unrecognised' };
}

/** Can any place be read where a spare of this size has its superblocks? What they say is lost in one page of memory. */
export function* givesSuperblocks(sizeBytes: number, probeOffset: number): Procedure<boolean> {
  const results = yield* performAll(
    superblockAnchors(sizeBytes).map((offsetBytes): TransferEffect => {
      const place = { offsetBytes, lengthBytes: METADATA_PAGE_BYTES, memoryOffset: probeOffset };
      return { kind: 'read', target: MAIN, ...place };
    }),
  );
  return results.some((result) => result >= 0);
}

/**
 * Is this the spare that was gone, in the state in which it went? Its superblock must be this set's and this spare's,
 * and neither that nor any page of the map older than what it had durably, or newer than anything that was sent to it.
 * An update that it missed may have been torn, and has then destroyed what it had: where that is to be seen, the version
 * before is right. The effects' main device is the candidate; nothing is written.
 */
export function* verifySpare(input: VerifySpareInput): Procedure<ReturnRefusal | undefined> {
  const { state, spareIndex, sizeBytes, memory, bufferOffset } = input;
  const scanned = yield* scanDevice({ devices: [], memory, bufferOffset }, { target: MAIN, sizeBytes });
  const newest = newestOf(identifyingSuperblocks([scanned])[0]!);
  if (newest === undefined) return isSilent(scanned) ? SILENT_SPARE : OTHER_SPARE;
  return judgeSuperblock(state, spareIndex, newest, scanned) ?? (yield* judgePages(input));
}

export interface VerifySpareInput {
  readonly state: MetadataState;
  readonly spareIndex: number;
  readonly sizeBytes: number;
  readonly memory: IoMemory;
  /** Room for `RECOVERY_READ_BYTES` of each copy. */
  readonly bufferOffset: number;
}

/** It may be gone again. */
function isSilent({ candidates }: ScannedDevice): boolean {
  return candidates.every(({ found }) => !found.ok && found.error === 'unreadable');
}

function judgeSuperblock(
  { superblock: known, lag }: MetadataState,
  spareIndex: number,
  newest: DecodedSuperblock,
  scanned: ScannedDevice,
): ReturnRefusal | undefined {
  const { superblock } = newest;
  const isIt =
    sameUuid(superblock.setId, known.setId) &&
    newest.spareIndex === spareIndex &&
    sameUuid(superblock.spares[spareIndex]!.uuid, known.spares[spareIndex]!.uuid);
  if (!isIt) return OTHER_SPARE;
  const openedAgain = superblock.openCount > known.openCount;
  const closedSince = superblock.openCount === known.openCount && superblock.cleanShutdown;
  if (openedAgain || closedSince || superblock.sequence > known.sequence) return USED_ELSEWHERE;
  const had = lag.superblockSequence(spareIndex);
  if (superblock.sequence >= had) return undefined;
  const states = slotStates(known, spareIndex, slotOf(had), scanned);
  return lag.missesSuperblock(spareIndex) && isTorn(states) ? undefined : judgeOlder(states);
}

/** Of all copies on the spare. */
function slotStates(
  { copies }: Superblock,
  spareIndex: number,
  slot: number,
  { candidates }: ScannedDevice,
): SlotState[] {
  const places = copies
    .filter((copy) => copy.spareIndex === spareIndex)
    .map((copy) => superblockOffsetBytes(copy, slot));
  return candidates
    .filter(({ offsetBytes }) => places.includes(offsetBytes))
    .map(({ found }) => (found.ok ? 'good' : found.error));
}

/** A page that can't be read there, or is damaged, is no reason to refuse: it is written anew, as at every start. */
function* judgePages(input: VerifySpareInput): Procedure<ReturnRefusal | undefined> {
  const { state, spareIndex, memory, bufferOffset } = input;
  const refusals = new Set<ReturnRefusal>();
  yield* loadDescriptors({
    superblock: state.superblock,
    targetOfSpare: (index) => (index === spareIndex ? MAIN : undefined),
    memory,
    bufferOffset,
    accept: () => {},
    acceptPage: () => {},
    acceptVersions: (page, versions, { found, sequence }) => {
      const newest = state.pageSequences[page]!;
      const missedSince = state.lag.pageSequence(spareIndex, page);
      const had = missedSince ?? newest;
      if (found && sequence > newest) refusals.add(USED_ELSEWHERE);
      if (!found || sequence >= had) return;
      const states = pageStates(versions, slotOf(had));
      if (missedSince === undefined || !isTorn(states)) refusals.add(judgeOlder(states));
    },
  });
  return [USED_ELSEWHERE, STALE_SPARE, SILENT_STATE].find((refusal) => refusals.has(refusal));
}

/** Of all copies that are there. */
function pageStates({ states, copyCount }: PageVersions, slot: number): SlotState[] {
  const own = Array.from({ length: copyCount }, (_, copy) => states[copy * 2 + slot]!);
  return own.filter((state) => state !== 'absent');
}

type SlotState = PageVersionState | SuperblockRefusal;

/** In every copy: a version that is whole shows what it was before. */
function isTorn(states: readonly SlotState[]): boolean {
  return states.length > 0 && states.every((state) => state === 'badChecksum' || state === 'unreadable');
}

/** What is whole is older than what the slot in these states had: it is older, or does not give the newer. */
function judgeOlder(states: readonly SlotState[]): ReturnRefusal {
  return isTorn(states) && states.includes('unreadable') ? SILENT_STATE : STALE_SPARE;
}

const OTHER_SPARE: ReturnRefusal = { kind: 'otherSpare' };
const STALE_SPARE: ReturnRefusal = { kind: 'staleSpare' };
const USED_ELSEWHERE: ReturnRefusal = { kind: 'usedElsewhere' };
/** Of a spare that is gone again while it is looked at, too. */
const SILENT_STATE: ReturnRefusal = {
  kind: 'unusable',
  reason: 'what would tell in which state it is can not be read there; it is tried again',
};
const SILENT_MAIN: ReturnRefusal = {
  kind: 'unusable',
  reason: 'the blocks by which it would be known can not be read there; it is tried again',
};
export const SILENT_SPARE: ReturnRefusal = {
  kind: 'unusable',
  reason: 'it answers nowhere where its superblock may be',
};
/** Blocks that are not blank and hold what they held: by chance, one in 2^32 does. */
const MIN_AGREEING = 2;
