import { superblockOffsetBytes } from '../format/layout.js';
import type { PageChoice, PageVersionState, PageVersions } from '../format/page-choice.js';
import { slotOf } from '../format/superblock.js';
import type { SuperblockChoice } from '../format/superblock-choice.js';
import type { SuperblockRefusal } from '../format/superblock-codec.js';
import type { ScannedDevice } from '../format/superblock-evidence.js';

/** One block, or a row of pages, that is not as it should be. */
export interface BlockFinding {
  readonly block: 'superblock' | 'page';
  readonly copyIndex: number;
  readonly slot: number;
  /** 0 and 1 for a superblock. */
  readonly firstPage: number;
  readonly pageCount: number;
  readonly state: BlockState;
  /** It is where the current version belongs; else where the next one goes, and it might be taken for that. */
  readonly isCurrentSlot: boolean;
}

export type BlockState =
  | Exclude<SuperblockRefusal, 'unsupportedVersion' | 'incompatibleFeature'>
  | Exclude<PageVersionState, 'good' | 'absent'>
  /** Whole, and older than it should be. */
  | 'stale'
  /** Whole, of a change that was never completed. */
  | 'uncommitted'
  /** The device has another size than when it was formatted: nobody looks there by itself. */
  | 'notScanned';

/** Of both slots of every copy that is there, what a start would write anew, or update twice. */
export function findSuperblockTrouble(
  choice: SuperblockChoice,
  scanned: readonly ScannedDevice[],
): readonly BlockFinding[] {
  const current = slotOf(choice.superblock.sequence);
  const isWanting = new Set(choice.repairs.map((repair) => repair.copyIndex));
  return choice.superblock.copies.flatMap((copy, copyIndex) => {
    const device = scanned[choice.deviceOfSpare[copy.spareIndex]!];
    if (device === undefined) return [];
    return [0, 1].flatMap((slot): BlockFinding[] => {
      const state = superblockState(
        device,
        superblockOffsetBytes(copy, slot),
        copyIndex,
        choice.superblock.sequence,
      );
      const isCurrentSlot = slot === current;
      const isTrouble = isCurrentSlot ? isWanting.has(copyIndex) : HIDES_SOMETHING.has(state);
      if (!isTrouble) return [];
      return [{ block: 'superblock', copyIndex, slot, firstPage: 0, pageCount: 1, state, isCurrentSlot }];
    });
  });
}

/** Beside a current version: whatever is not known for certain to be older, or nothing. */
const HIDES_SOMETHING: ReadonlySet<BlockState> = new Set<BlockState>([
  'unreadable',
  'badChecksum',
  'implausible',
  'misplaced',
  'contradictory',
  'notScanned',
]);

function superblockState(
  device: ScannedDevice,
  offsetBytes: number,
  copyIndex: number,
  sequence: number,
): BlockState {
  const candidate = device.candidates.find((each) => each.offsetBytes === offsetBytes);
  if (candidate === undefined) return 'notScanned';
  const { found } = candidate;
  if (found.ok) {
    const { superblock, copyIndex: ownIndex, slot } = found.value;
    const ownPlace = superblockOffsetBytes(superblock.copies[ownIndex]!, slot);
    if (ownIndex !== copyIndex || ownPlace !== offsetBytes) return 'misplaced';
    return superblock.sequence === sequence ? 'contradictory' : 'stale';
  }
  // A newer program's superblock anywhere ends the choice before there is one.
  return found.error as BlockState;
}

/** Takes what is wrong with one page; neighbours with the same trouble become one finding. */
export function findPageTrouble(
  into: PageFindings,
  page: number,
  versions: PageVersions,
  choice: PageChoice,
): void {
  for (let copyIndex = 0; copyIndex < versions.copyCount; copyIndex += 1) {
    for (let slot = 0; slot < 2; slot += 1) {
      const index = copyIndex * 2 + slot;
      const isCurrentSlot = choice.found && slot === choice.slot;
      const state = pageState(into, versions, choice, index, isCurrentSlot);
      if (state !== undefined) into.add(copyIndex, slot, page, state, isCurrentSlot);
    }
  }
}

function pageState(
  { generation }: PageFindings,
  versions: PageVersions,
  choice: PageChoice,
  index: number,
  isCurrentSlot: boolean,
): BlockState | undefined {
  const state = versions.states[index]!;
  if (state === 'absent') return undefined;
  if (state === 'good' && versions.generations[index]! > generation) return 'uncommitted';
  if (isCurrentSlot) {
    const isWanting = ((choice.repairMask >>> Math.floor(index / 2)) & 1) === 1;
    if (!isWanting) return undefined;
    return state === 'good' ? 'stale' : state;
  }
  if (state === 'good') return undefined;
  // Without any valid version everything that was found is worth telling.
  return !choice.found || HIDES_SOMETHING.has(state) ? state : undefined;
}

/** Bounded by runs of pages, not by pages: a spare that was overwritten is one finding for each slot of a copy. */
export class PageFindings {
  readonly generation: number;
  readonly #open: (BlockFinding | undefined)[];
  readonly #done: BlockFinding[] = [];

  constructor(copyCount: number, generation: number) {
    this.generation = generation;
    this.#open = new Array<BlockFinding | undefined>(copyCount * 2).fill(undefined);
  }

  add(copyIndex: number, slot: number, page: number, state: BlockState, isCurrentSlot: boolean): void {
    const row = this.#open[copyIndex * 2 + slot];
    const continues =
      row !== undefined &&
      row.firstPage + row.pageCount === page &&
      row.state === state &&
      row.isCurrentSlot === isCurrentSlot;
    if (row !== undefined && !continues) this.#done.push(row);
    this.#open[copyIndex * 2 + slot] = continues
      ? { ...row, pageCount: row.pageCount + 1 }
      : { block: 'page', copyIndex, slot, firstPage: page, pageCount: 1, state, isCurrentSlot };
  }

  /** By copy, then by page. */
  take(): readonly BlockFinding[] {
    const all = [...this.#done, ...this.#open.filter((row) => row !== undefined)];
    return all.sort((one, other) => one.copyIndex - other.copyIndex || one.firstPage - other.firstPage);
  }
}
