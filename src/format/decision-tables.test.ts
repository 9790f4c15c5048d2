import { describe, expect, it } from 'vitest';
import { xorshift } from '../../test/support/xorshift.js';
import { failed, ok } from '../base/result.js';
import { superblockAnchors, superblockOffsetBytes } from './layout.js';
import { choosePage, emptyPageChoice, type PageVersionState, PageVersions } from './page-choice.js';
import type { Superblock } from './superblock.js';
import { chooseSuperblock } from './superblock-choice.js';
import type { DecodedSuperblock, SuperblockRefusal } from './superblock-codec.js';
import type { ScannedDevice, SuperblockCandidate } from './superblock-evidence.js';
import { exampleSuperblock } from './testing/example-set.js';

/**
 * Every mix of what the slots of all copies can hold, against what docs/on-disk-format.md ("Which version is valid", R1
 * to R3) says, worked out here once more without a look at the code. Three copies of superblocks are too many for every
 * run: a sample then, all of them with `npm run test:exhaustive` (half an hour).
 */
const IS_EXHAUSTIVE = process.env.DM_REMAP_EXHAUSTIVE === '1';
const SEED = Number(process.env.DM_REMAP_SEED ?? Date.now() % 2 ** 31) || 1;

const HOW_MANY = IS_EXHAUSTIVE ? 'every mix' : `a sample, DM_REMAP_SEED=${SEED}`;

/** Calls `visit` with every way to fill `length` places, the n-th from `choices[n % choices.length]`. */
function everyMix<Choice>(
  choices: readonly (readonly Choice[])[],
  length: number,
  visit: (mix: readonly Choice[]) => void,
): number {
  const mix: Choice[] = [];
  let visited = 0;
  const fill = (at: number): void => {
    if (at === length) {
      visited += 1;
      return visit(mix);
    }
    for (const choice of choices[at % choices.length]!) {
      mix[at] = choice;
      fill(at + 1);
    }
  };
  fill(0);
  return visited;
}

/** By places drawn at random. */
function someMixes<Choice>(
  choices: readonly (readonly Choice[])[],
  length: number,
  count: number,
  visit: (mix: readonly Choice[]) => void,
): void {
  const random = xorshift(SEED);
  for (let nth = 0; nth < count; nth += 1) {
    const mix = Array.from({ length }, (_, at) => {
      const some = choices[at % choices.length]!;
      return some[random() % some.length]!;
    });
    visit(mix);
  }
}

describe('the choice of a page', () => {
  type Slot = { readonly state: PageVersionState; readonly sequence: number; readonly generation: number };
  const GENERATION = 5;
  const good = (sequence: number, generation: number): Slot => ({ state: 'good', sequence, generation });
  const bad = (state: PageVersionState): Slot => ({ state, sequence: 0, generation: 0 });
  const REST = ['blank', 'notOurs', 'badChecksum', 'foreignSet', 'misplaced', 'unreadable'] as const;
  const EVEN = [good(8, 5), good(8, 4), good(6, 5), good(8, 6), ...REST.map(bad)];
  const ODD = [good(9, 5), good(7, 5), good(9, 6), ...REST.map(bad)];

  function check(slots: readonly Slot[]): void {
    const versions = new PageVersions(slots.length / 2);
    for (const [index, { state, sequence, generation }] of slots.entries())
      versions.set(index >> 1, index & 1, state, sequence, generation);
    const choice = emptyPageChoice();
    choosePage(versions, GENERATION, choice);
    const wanted = oracle(slots);
    const isRight =
      choice.found === (wanted !== undefined) &&
      (wanted === undefined ||
        (choice.sequence === wanted.sequence &&
          choice.generation === wanted.generation &&
          choice.slot === wanted.sequence % 2 &&
          slots[choice.copyIndex * 2 + choice.slot] === wanted.slot &&
          choice.repairMask === wanted.repairMask &&
          choice.needsTwoUpdates === wanted.twice &&
          choice.mayBeOutdated === wanted.outdated));
    if (!isRight) expect({ slots, choice }).toEqual(wanted);
  }

  /** Committed versions count; the highest sequence wins, then the higher generation. */
  function oracle(slots: readonly Slot[]) {
    const counting = slots.filter(({ state, generation }) => state === 'good' && generation <= GENERATION);
    const [best] = [...counting].sort((a, b) => b.sequence - a.sequence || b.generation - a.generation);
    if (best === undefined) return undefined;
    const isIt = (slot: Slot): boolean =>
      slot.state === 'good' && slot.sequence === best.sequence && slot.generation === best.generation;
    const copies = Array.from({ length: slots.length / 2 }, (_, copy) => slots.slice(2 * copy, 2 * copy + 2));
    const lacking = copies.map((pair) => !pair.some(isIt) && pair.some(({ state }) => state !== 'absent'));
    const cannotBeJudged = ({ state }: Slot): boolean =>
      state === 'unreadable' || state === 'badChecksum' || state === 'misplaced';
    const isUncommitted = ({ state, generation }: Slot): boolean =>
      state === 'good' && generation > GENERATION;
    return {
      slot: slots.find(isIt),
      sequence: best.sequence,
      generation: best.generation,
      repairMask: lacking.reduce((mask, lacks, copy) => mask + (lacks ? 2 ** copy : 0), 0),
      twice: slots.some((slot) => cannotBeJudged(slot) || isUncommitted(slot)),
      outdated: copies
        .filter((pair) => pair.some(isIt))
        .every((pair) => pair.some((slot) => !isIt(slot) && cannotBeJudged(slot))),
    };
  }

  it('is the one of the rules for every mix of slots in one and two copies', () => {
    expect(everyMix([EVEN, ODD], 2, check)).toBe(90);
    expect(everyMix([EVEN, ODD], 4, check)).toBe(90 ** 2);
  });

  it(`is so for three copies (${HOW_MANY})`, () => {
    if (IS_EXHAUSTIVE) expect(everyMix([EVEN, ODD], 6, check)).toBe(90 ** 3);
    else someMixes([EVEN, ODD], 6, 20_000, check);
  });

  it('is so where a copy is out of use', () => {
    const none = bad('absent');
    everyMix([EVEN, ODD], 4, (mix) => {
      check([none, none, ...mix]);
      check([...mix.slice(0, 2), none, none, ...mix.slice(2)]);
    });
    check([none, none, none, none]);
  });
});

describe('the choice of a superblock', () => {
  /** A sequence of this set, of another set, the one at a wrong place, or a refusal. */
  type Slot = number | 'foreign' | 'misplaced' | SuperblockRefusal | 'unreadable';
  const REST: readonly Slot[] = [
    'foreign',
    'misplaced',
    'blank',
    'notOurs',
    'badChecksum',
    'implausible',
    'unreadable',
  ];
  const EVEN: readonly Slot[] = [8, 6, ...REST];
  const ODD: readonly Slot[] = [9, 7, ...REST];

  const [oneSpare, twoSpares] = [[16 << 20], [16 << 20, 16 << 20]];
  const sets = new Map<string, Superblock>();
  function setOf(copyCount: number, spares: readonly number[]): Superblock {
    const key = `${copyCount} ${spares.length}`;
    const known = sets.get(key) ?? exampleSuperblock({ copyCount, spareSizesBytes: spares });
    sets.set(key, known);
    return known;
  }

  function scanned(set: Superblock, slots: readonly Slot[]): ScannedDevice[] {
    return set.spares.map(({ sizeBytes }, spareIndex) => ({
      sizeBytes,
      candidates: superblockAnchors(sizeBytes).map((offsetBytes): SuperblockCandidate => {
        const index = slots.findIndex((_, at) => {
          const copy = set.copies[at >> 1]!;
          return copy.spareIndex === spareIndex && superblockOffsetBytes(copy, at & 1) === offsetBytes;
        });
        if (index === -1) return { offsetBytes, found: failed('blank') };
        return { offsetBytes, found: foundAt(set, index, slots[index]!) };
      }),
    }));
  }

  function foundAt(set: Superblock, index: number, slot: Slot): SuperblockCandidate['found'] {
    const copyIndex = index >> 1;
    const place = { copyIndex, slot: index & 1, spareIndex: set.copies[copyIndex]!.spareIndex };
    const decoded = (sequence: number, changes: Partial<Superblock>): DecodedSuperblock => ({
      ...place,
      superblock: { ...set, sequence, ...changes },
      readOnly: false,
      contentCrc: sequence,
    });
    if (typeof slot === 'number') return ok(decoded(slot, {}));
    if (slot === 'foreign') return ok(decoded(20 + (index & 1), { setId: new Uint8Array(16).fill(1) }));
    // Whole, newer than all, and made for the other slot.
    if (slot === 'misplaced') return ok({ ...decoded(30 + (index & 1), {}), slot: 1 - (index & 1) });
    return failed(slot);
  }

  function check(set: Superblock, slots: readonly Slot[]): void {
    const found = chooseSuperblock(scanned(set, slots));
    const choice = found.ok ? found.value : 'choice' in found.error ? found.error.choice : undefined;
    const outcome = {
      kind: found.ok ? 'ok' : found.error.kind,
      sequence: choice?.superblock.sequence,
      repairs: choice?.repairs.map((repair) => repair.copyIndex).join(),
      twice: choice?.needsTwoUpdates,
      stale: choice?.staleSpares.join(),
    };
    const wanted = oracle(set, slots);
    if (JSON.stringify(outcome) !== JSON.stringify(wanted)) expect({ slots, ...outcome }).toEqual(wanted);
  }

  function oracle(set: Superblock, slots: readonly Slot[]) {
    const own = slots.map((slot) => (typeof slot === 'number' ? slot : slot === 'foreign' ? 20 : -1));
    const no = { sequence: undefined, repairs: undefined, twice: undefined, stale: undefined };
    if (own.every((sequence) => sequence === -1)) return { kind: 'noneFound', ...no };
    const hasForeign = slots.includes('foreign');
    if (hasForeign && slots.some((slot) => typeof slot === 'number')) return { kind: 'mixedSets', ...no };
    const sequences = slots.map((slot, at) =>
      typeof slot === 'number' ? slot : slot === 'foreign' ? 20 + (at & 1) : -1,
    );
    const best = Math.max(...sequences);
    const spareOf = (at: number): number => set.copies[at >> 1]!.spareIndex;
    const newest = set.spares.map((_, spare) =>
      Math.max(-1, ...sequences.filter((_sequence, at) => spareOf(at) === spare)),
    );
    const copies = [...set.copies.keys()];
    // Beside the newest, in copies that have it; where none says, the number below.
    const beside = copies
      .filter((copy) => sequences[2 * copy + (best % 2)] === best)
      .map((copy) => sequences[2 * copy + 1 - (best % 2)]!)
      .filter((sequence) => sequence !== -1);
    const before = beside.length === 0 ? best - 1 : Math.max(...beside);
    const stale = newest.flatMap((sequence, spare) => (sequence !== -1 && sequence < before ? [spare] : []));
    const kind = newest.includes(-1) ? 'spareUnproven' : stale.length > 0 ? 'spareStale' : 'ok';
    return {
      kind,
      sequence: best,
      repairs: copies.filter((copy) => sequences[2 * copy + (best % 2)] !== best).join(),
      twice: (['unreadable', 'badChecksum', 'implausible'] as const).some((bad) => slots.includes(bad)),
      stale: stale.join(),
    };
  }

  it('is the one of the rules for every mix of slots in one and two copies, on one spare and on two', () => {
    expect(everyMix([EVEN, ODD], 2, (mix) => check(setOf(1, oneSpare), mix))).toBe(81);
    expect(everyMix([EVEN, ODD], 4, (mix) => check(setOf(2, oneSpare), mix))).toBe(81 ** 2);
    expect(everyMix([EVEN, ODD], 4, (mix) => check(setOf(2, twoSpares), mix))).toBe(81 ** 2);
  });

  it(`is so for three copies (${HOW_MANY})`, () => {
    for (const spares of [oneSpare, twoSpares]) {
      const set = setOf(3, spares);
      if (IS_EXHAUSTIVE) everyMix([EVEN, ODD], 6, (mix) => check(set, mix));
      else someMixes([EVEN, ODD], 6, 4000, (mix) => check(set, mix));
    }
  });

  it('is refused whenever any slot was written by a newer program', () => {
    for (const newer of ['unsupportedVersion', 'incompatibleFeature'] as const) {
      everyMix<Slot>(
        [
          [...EVEN, newer],
          [...ODD, newer],
        ],
        4,
        (mix) => {
          if (!mix.includes(newer)) return;
          const found = chooseSuperblock(scanned(setOf(2, oneSpare), mix));
          if (found.ok || found.error.kind !== 'newerFormat') expect({ mix, found }).toBe('refused');
        },
      );
    }
  });
});
