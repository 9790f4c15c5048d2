import { SECTOR_BYTES } from '../../base/units.js';
import type { ReadBytes } from '../foreign-signature.js';
import type { ModuleRemap, SectorSpan } from './module-remap.js';
import {
  decodeV4Copy,
  type GoodV4Copy,
  V4_RECORD_BYTES,
  type V4Copy,
  type V4CopyState,
  type V4Entry,
} from './record-copy.js';

/**
 * The record of the module's version 4.2: reads its five copies, and chooses as the module would: of those that are
 * valid the highest sequence, then the latest time. A copy dated more than a day ahead, which the module refuses, is
 * taken only if all are: the clock of the machine that imports may be wrong. `chosen` is undefined if none is valid.
 *
 * The sequence starts anew with every load of the module, so the chosen copy need not be the latest. That is why
 * every remap that some copy with a good checksum does not have, or that only an unchosen one has, is disputed.
 */
export function decodeV4(read: ReadBytes, nowSeconds: number): V4Record {
  const decoded = V4_COPY_SECTORS.map((sector) => readCopy(read, sector));
  const copies = decoded.map((copy, index) => reportOf(copy, index, nowSeconds));
  const whole = decoded.flatMap((copy, index): NumberedCopy[] =>
    copy.state === 'good' ? [[index, copy]] : [],
  );
  const present = whole.filter(([index]) => copies[index]!.state === 'good');
  const eligible = present.length > 0 ? present : whole;
  const best = [...eligible].sort(([, one], [, other]) => compareAge(other, one))[0];
  return {
    copies,
    chosen: best && { copyIndex: best[0], ...withoutEntries(best[1]), remaps: mergeRemaps(whole, best[0]) },
  };
}

export interface V4Record {
  /** All five, in their order on the spare. */
  readonly copies: readonly V4CopyReport[];
  readonly chosen: ChosenV4Record | undefined;
}

export interface ChosenV4Record extends Omit<GoodV4Copy, 'state' | 'remaps'> {
  readonly copyIndex: number;
  /** Of the chosen copy in its order, then those that only other valid copies have. */
  readonly remaps: readonly ModuleRemap[];
}

export interface V4CopyReport {
  readonly sector: number;
  readonly state: V4CopyState | 'fromTheFuture';
  /** Undefined unless the copy is whole. */
  readonly sequence: number | undefined;
  readonly timeSeconds: number | undefined;
  readonly remapCount: number | undefined;
  readonly mainSectors: number | undefined;
}

type NumberedCopy = readonly [copyIndex: number, copy: GoodV4Copy];

function readCopy(read: ReadBytes, sector: number): V4Copy {
  const bytes = read(sector * SECTOR_BYTES, V4_RECORD_BYTES);
  return bytes === undefined ? { state: 'unreadable' } : decodeV4Copy(bytes);
}

function reportOf(copy: V4Copy, index: number, nowSeconds: number): V4CopyReport {
  const sector = V4_COPY_SECTORS[index]!;
  if (copy.state !== 'good') {
    const nothing = { sequence: undefined, timeSeconds: undefined, remapCount: undefined };
    return { sector, state: copy.state, ...nothing, mainSectors: undefined };
  }
  const { sequence, timeSeconds, remaps, mainSectors } = copy;
  const state = timeSeconds > nowSeconds + DAY_SECONDS ? 'fromTheFuture' : 'good';
  return { sector, state, sequence, timeSeconds, remapCount: remaps.length, mainSectors };
}

function compareAge(one: GoodV4Copy, other: GoodV4Copy): number {
  return one.sequence === other.sequence
    ? compareNumbers(one.timeSeconds, other.timeSeconds)
    : compareNumbers(one.sequence, other.sequence);
}

/** Not a difference: both may be infinite. */
function compareNumbers(one: number, other: number): number {
  return one === other ? 0 : one < other ? -1 : 1;
}

function withoutEntries(copy: GoodV4Copy): Omit<GoodV4Copy, 'state' | 'remaps'> {
  const { sequence, timeSeconds, mainSectors, spareSectors, sectorBytes } = copy;
  return { sequence, timeSeconds, mainSectors, spareSectors, sectorBytes };
}

function mergeRemaps(whole: readonly NumberedCopy[], chosenIndex: number): ModuleRemap[] {
  const holders = new Map<string, number[]>();
  for (const [copyIndex, copy] of whole) {
    for (const key of new Set(copy.remaps.map(keyOf))) {
      holders.set(key, [...(holders.get(key) ?? []), copyIndex]);
    }
  }
  const isChosen = ([copyIndex]: NumberedCopy): boolean => copyIndex === chosenIndex;
  const chosenFirst = [...whole.filter(isChosen), ...whole.filter((copy) => !isChosen(copy))];
  const listed = new Set<string>();
  const merged: ModuleRemap[] = [];
  for (const [, copy] of chosenFirst) {
    const added = copy.remaps.filter((entry) => !listed.has(keyOf(entry)));
    for (const entry of added) {
      listed.add(keyOf(entry));
      merged.push(remapOf(entry, holders.get(keyOf(entry))!, whole.length));
    }
  }
  return merged;
}

function keyOf({ mainSector, spareSector }: V4Entry): string {
  return `${mainSector} ${spareSector}`;
}

function remapOf(entry: V4Entry, copies: readonly number[], wholeCount: number): ModuleRemap {
  const doubts: ModuleRemap['doubts'] = [
    ...(copies.length < wholeCount ? (['copiesDisagree'] as const) : []),
    ...(entry.state === 'unknown' ? (['unknownFlags'] as const) : []),
  ];
  return { ...entry, copies, doubts };
}

/** dm-bufio blocks 0 to 4 of 128 KiB. */
export const V4_COPY_SECTORS: readonly number[] = [0, 256, 512, 768, 1024];

/** Each copy is written as a whole block of 128 KiB, although the record is shorter. */
export const V4_METADATA: SectorSpan = { firstSector: 0, sectorCount: 5 * 256 };

const DAY_SECONDS = 86400;
