import { assert } from '../base/assert.js';
import type { PageVerdict } from './descriptor-page.js';
import { MAX_COPIES } from './layout.js';
import { slotOf } from './superblock.js';

/**
 * Decides, from both slots of all copies of one page, which version is valid and which copies must be written anew.
 * Total: every mix of states has an answer. Reuses `into`; allocates nothing.
 *
 * Valid is the highest sequence among good versions that are committed, that is, of a generation not above the
 * chosen superblock's. Between equal sequences the higher generation wins, then the lower copy index.
 */
export function choosePage(versions: PageVersions, superblockGeneration: number, into: PageChoice): void {
  const chosen = newestCommitted(versions, superblockGeneration);
  into.found = chosen !== -1;
  into.copyIndex = chosen === -1 ? 0 : Math.floor(chosen / 2);
  into.sequence = chosen === -1 ? 0 : versions.sequences[chosen]!;
  into.generation = chosen === -1 ? 0 : versions.generations[chosen]!;
  into.slot = slotOf(into.sequence);
  into.repairMask = 0;
  into.needsTwoUpdates = false;
  into.mayBeOutdated = chosen !== -1;
  if (chosen === -1) return;
  const { generation } = into;
  for (let copy = 0; copy < versions.copyCount; copy += 1) {
    const current = copy * 2 + into.slot;
    const other = copy * 2 + 1 - into.slot;
    if (versions.states[current] === 'absent') continue;
    const holdsChosen = versions.holds(current, into.sequence, generation);
    if (!holdsChosen) into.repairMask |= 1 << copy;
    if (isThreat(versions, current, superblockGeneration)) into.needsTwoUpdates = true;
    if (isThreat(versions, other, superblockGeneration)) into.needsTwoUpdates = true;
    if (holdsChosen && !isUnknown(versions.states[other]!)) into.mayBeOutdated = false;
  }
}

export interface PageChoice {
  /** False: no copy has a valid version. */
  found: boolean;
  /** The copy to take the page from (the lowest that has it), and the slot in it. */
  copyIndex: number;
  slot: number;
  sequence: number;
  generation: number;
  /**
   * Bit c: copy c does not have this version (missing, older, damaged, uncommitted); it is to be written to its
   * `slot` with this `sequence` and `generation`.
   */
  repairMask: number;
  /**
   * Some slot was unreadable or damaged, or holds an uncommitted version: it might be taken for valid later. The
   * contents must be written twice more, as sequence + 1 and sequence + 2, to all copies, each durable before the
   * next; no hidden version is newer than that. This includes the repairs of `repairMask`.
   */
  needsTwoUpdates: boolean;
  /**
   * No copy proves that there was nothing newer: beside each chosen version lies one that can't be judged. Normal
   * after a power cut; after a clean stop it means that the newest version was lost.
   */
  mayBeOutdated: boolean;
}

/** What was found of one page: 2 versions for each copy. One object serves for all pages. */
export class PageVersions {
  readonly copyCount: number;
  /** Index: copy * 2 + slot, here and below. */
  readonly states: PageVersionState[];
  readonly sequences: Float64Array;
  readonly generations: Float64Array;

  constructor(copyCount: number) {
    assert(copyCount > 0 && copyCount <= MAX_COPIES, `${copyCount} copies`);
    this.copyCount = copyCount;
    this.states = new Array<PageVersionState>(copyCount * 2).fill('absent');
    this.sequences = new Float64Array(copyCount * 2);
    this.generations = new Float64Array(copyCount * 2);
  }

  /** `sequence` and `generation` count only for 'good'. */
  set(copyIndex: number, slot: number, state: PageVersionState, sequence: number, generation: number): void {
    const index = copyIndex * 2 + slot;
    assert(state !== 'good' || slotOf(sequence) === slot, 'a good version is in its own slot');
    this.states[index] = state;
    this.sequences[index] = sequence;
    this.generations[index] = generation;
  }

  holds(index: number, sequence: number, generation: number): boolean {
    if (this.states[index] !== 'good') return false;
    return this.sequences[index] === sequence && this.generations[index] === generation;
  }
}

export type PageVersionState =
  | PageVerdict
  | 'unreadable'
  /** Whole, yet most copies of this very version say something else (`outvote`). */
  | 'contradictory'
  /** The copy is out of use (its spare is missing or given up): neither read nor repaired. Both slots say so. */
  | 'absent';

export function emptyPageChoice(): PageChoice {
  const none = { found: false, copyIndex: 0, slot: 0, sequence: 0, generation: 0 };
  return { ...none, repairMask: 0, needsTwoUpdates: false, mayBeOutdated: false };
}

function newestCommitted(versions: PageVersions, superblockGeneration: number): number {
  const { states, sequences, generations } = versions;
  let best = -1;
  for (let index = 0; index < states.length; index += 1) {
    if (states[index] !== 'good' || generations[index]! > superblockGeneration) continue;
    const ahead =
      best === -1 ? 1 : sequences[index]! - sequences[best]! || generations[index]! - generations[best]!;
    if (ahead > 0) best = index;
  }
  return best;
}

/** What this slot holds, or shows when it is read again, could be taken for valid later. */
function isThreat(versions: PageVersions, index: number, superblockGeneration: number): boolean {
  const state = versions.states[index]!;
  return isUnknown(state) || (state === 'good' && versions.generations[index]! > superblockGeneration);
}

/** Nothing is known of what this slot holds, or may hold when it is read again. */
function isUnknown(state: PageVersionState): boolean {
  const isBad = state === 'unreadable' || state === 'badChecksum' || state === 'misplaced';
  return isBad || state === 'contradictory';
}
