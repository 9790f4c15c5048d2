import type { Result } from '../base/result.js';
import { superblockOffsetBytes } from './layout.js';
import { sameUuid } from './set-id.js';
import type { DecodedSuperblock, SuperblockRefusal } from './superblock-codec.js';

/** One device that was named as a spare, read at every anchor (`superblockAnchors`). */
export interface ScannedDevice {
  readonly sizeBytes: number;
  readonly candidates: readonly SuperblockCandidate[];
}

/** 4096 bytes from one anchor, judged; 'unreadable' when the device gave an error instead. */
export interface SuperblockCandidate {
  readonly offsetBytes: number;
  readonly found: Result<DecodedSuperblock, SuperblockRefusal | 'unreadable'>;
}

/** A superblock at another place than its own is a misdirected write, or a copy of a part of a disk: not evidence. */
export function superblocksInPlace(device: ScannedDevice): readonly DecodedSuperblock[] {
  return device.candidates.flatMap(({ offsetBytes, found }) => {
    if (!found.ok) return [];
    const copy = found.value.superblock.copies[found.value.copyIndex]!;
    return superblockOffsetBytes(copy, found.value.slot) === offsetBytes ? [found.value] : [];
  });
}

/** Where intact copies of the newest contradict each other, one that more than half of them agree with, if any. */
export function newestOf(found: readonly DecodedSuperblock[]): DecodedSuperblock | undefined {
  let newest: DecodedSuperblock | undefined;
  for (const next of found) if (newest === undefined || isNewer(next, newest)) newest = next;
  return newest && (majorityOf(rivalsOf(found, newest)) ?? newest);
}

/** No number is used twice (rule W2), so this is damage that a checksum did not find, or somebody's doing. */
export function isContested(found: readonly DecodedSuperblock[], newest: DecodedSuperblock): boolean {
  return majorityOf(rivalsOf(found, newest)) === undefined;
}

function rivalsOf(found: readonly DecodedSuperblock[], newest: DecodedSuperblock): DecodedSuperblock[] {
  return found.filter((each) => !isNewer(each, newest) && !isNewer(newest, each));
}

function majorityOf(rivals: readonly DecodedSuperblock[]): DecodedSuperblock | undefined {
  const countOf = ({ contentCrc }: DecodedSuperblock): number =>
    rivals.filter((each) => each.contentCrc === contentCrc).length;
  return rivals.find((each) => countOf(each) * 2 > rivals.length);
}

/** By sequence. Two of one sequence come from an update that was cut off and made again: the later one counts. */
function isNewer(one: DecodedSuperblock, other: DecodedSuperblock): boolean {
  const [a, b] = [one.superblock, other.superblock];
  if (a.sequence !== b.sequence) return a.sequence > b.sequence;
  if (a.generation !== b.generation) return a.generation > b.generation;
  return a.updatedSeconds > b.updatedSeconds;
}

export function distinctSetIds(found: readonly DecodedSuperblock[]): readonly Uint8Array[] {
  const distinct: Uint8Array[] = [];
  for (const { superblock } of found) {
    if (!distinct.some((setId) => sameUuid(setId, superblock.setId))) distinct.push(superblock.setId);
  }
  return distinct;
}

/** The first sequence number that two devices tell different stories of, if there is one. */
export function findDivergence(
  foundOnDevices: readonly (readonly DecodedSuperblock[])[],
): Divergence | undefined {
  const first = new Map<number, { readonly deviceIndex: number; readonly contentCrc: number }>();
  for (const [deviceIndex, found] of foundOnDevices.entries()) {
    for (const [sequence, { contentCrc }] of newestOfEachSequence(found)) {
      const known = first.get(sequence);
      if (known === undefined) first.set(sequence, { deviceIndex, contentCrc });
      else if (known.contentCrc !== contentCrc)
        return { deviceIndexes: [known.deviceIndex, deviceIndex], sequence };
    }
  }
  return undefined;
}

export interface Divergence {
  readonly deviceIndexes: readonly [number, number];
  readonly sequence: number;
}

function newestOfEachSequence(found: readonly DecodedSuperblock[]): ReadonlyMap<number, DecodedSuperblock> {
  const sequences = new Set(found.map(({ superblock }) => superblock.sequence));
  const newestWith = (sequence: number): DecodedSuperblock =>
    newestOf(found.filter(({ superblock }) => superblock.sequence === sequence))!;
  return new Map([...sequences].map((sequence) => [sequence, newestWith(sequence)]));
}
