import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sequenceAfterHidden } from './hidden-updates.js';
import {
  choosePage,
  emptyPageChoice,
  type PageChoice,
  type PageVersionState,
  PageVersions,
} from './page-choice.js';

const GENERATION = 5;
/** The newest acknowledged version; it is in slot 0. */
const NOW = 8;

type Version = readonly [state: PageVersionState, sequence: number, generation: number];

function good(sequence: number, generation = GENERATION): Version {
  return ['good', sequence, generation];
}

function not(state: PageVersionState): Version {
  return [state, 0, 0];
}

/** What the two slots of a copy can hold, and the sequence that is valid in it. */
const COPY_STATES: Readonly<
  Record<string, { readonly slots: readonly [Version, Version]; readonly valid: number }>
> = {
  good: { slots: [good(NOW), good(NOW - 1)], valid: NOW },
  first: { slots: [good(NOW), not('blank')], valid: NOW },
  tornNext: { slots: [good(NOW), not('badChecksum')], valid: NOW },
  uncommittedNext: { slots: [good(NOW), good(NOW + 1, GENERATION + 1)], valid: NOW },
  tornNow: { slots: [not('badChecksum'), good(NOW - 1)], valid: NOW - 1 },
  uncommittedNow: { slots: [good(NOW, GENERATION + 1), good(NOW - 1)], valid: NOW - 1 },
  stale: { slots: [good(NOW - 4), good(NOW - 5)], valid: NOW - 4 },
  foreign: { slots: [not('foreignSet'), not('foreignSet')], valid: -1 },
  misplaced: { slots: [not('misplaced'), not('notOurs')], valid: -1 },
  unreadable: { slots: [not('unreadable'), not('unreadable')], valid: -1 },
  absent: { slots: [not('absent'), not('absent')], valid: -1 },
};
const NAMES = Object.keys(COPY_STATES);

function everyMix(copyCount: number): readonly (readonly string[])[] {
  if (copyCount === 0) return [[]];
  return everyMix(copyCount - 1).flatMap((mix) => NAMES.map((name) => [...mix, name]));
}

function choose(copies: readonly (readonly [Version, Version])[], generation = GENERATION): PageChoice {
  const versions = new PageVersions(copies.length);
  for (const [copyIndex, slots] of copies.entries()) {
    for (const [slot, [state, sequence, of]] of slots.entries())
      versions.set(copyIndex, slot, state, sequence, of);
  }
  const choice = emptyPageChoice();
  choosePage(versions, generation, choice);
  return choice;
}

describe('the decision over one page in three copies', () => {
  it('is right for every mix of copy states', () => {
    for (const mix of everyMix(3)) {
      const copies = mix.map((name) => COPY_STATES[name]!);
      const sequence = Math.max(...copies.map((copy) => copy.valid));
      const choice = choose(copies.map((copy) => copy.slots));
      const title = mix.join(' ');
      expect(choice.found, title).toBe(sequence !== -1);
      if (sequence === -1) continue;
      expect(choice, title).toMatchObject({
        sequence,
        slot: sequence % 2,
        copyIndex: copies.findIndex((copy) => copy.valid === sequence),
      });
      const repairs = mix.map((name, copy) =>
        copies[copy]!.valid !== sequence && name !== 'absent' ? 1 << copy : 0,
      );
      expect(choice.repairMask, title).toBe(repairs.reduce((mask, bit) => mask | bit, 0));
      const threats = ['tornNext', 'uncommittedNext', 'tornNow', 'uncommittedNow', 'misplaced', 'unreadable'];
      expect(choice.needsTwoUpdates, title).toBe(mix.some((name) => threats.includes(name)));
      const proofs = mix.filter(
        (name, copy) => copies[copy]!.valid === sequence && !['tornNext', 'tornNow'].includes(name),
      );
      expect(choice.mayBeOutdated, title).toBe(proofs.length === 0);
    }
  });

  it('takes the higher generation of two versions with one sequence', () => {
    const choice = choose([
      [good(8, 4), good(7)],
      [good(8, 5), good(7)],
    ]);
    expect(choice).toMatchObject({ copyIndex: 1, sequence: 8, repairMask: 0b01 });
  });

  it('commits a prepared change once the superblock says so', () => {
    const prepared: readonly [Version, Version] = [good(8), good(9, GENERATION + 1)];
    expect(choose([prepared, prepared], GENERATION)).toMatchObject({ sequence: 8, needsTwoUpdates: true });
    expect(choose([prepared, prepared], GENERATION + 1)).toMatchObject({
      sequence: 9,
      slot: 1,
      needsTwoUpdates: false,
    });
  });

  it('reuses its answer without leaving anything of the last page in it', () => {
    const choice = emptyPageChoice();
    const versions = new PageVersions(1);
    versions.set(0, 0, 'good', 8, GENERATION);
    versions.set(0, 1, 'unreadable', 0, 0);
    choosePage(versions, GENERATION, choice);
    expect(choice).toMatchObject({ found: true, needsTwoUpdates: true, mayBeOutdated: true });
    versions.set(0, 0, 'blank', 0, 0);
    versions.set(0, 1, 'blank', 0, 0);
    choosePage(versions, GENERATION, choice);
    expect(choice).toEqual(emptyPageChoice());
  });

  it('does not take a good version that lies in the wrong slot', () => {
    expect(() => new PageVersions(1).set(0, 1, 'good', 8, 1)).toThrow('its own slot');
  });
});

interface Stored {
  readonly sequence: number;
  readonly generation: number;
  readonly content: number;
}

/**
 * One page in three copies under an adversary that tears writes, cuts recoveries off, hides slots from one start to
 * the next and lets writes fail. Copy 2 is the one that keeps working, so that no tie goes its way.
 */
class PageUnderAttack {
  readonly slots: (Stored | 'torn' | 'blank')[] = ['blank', 'blank', 'blank', 'blank', 'blank', 'blank'];
  hidden: readonly boolean[] = this.slots.map(() => false);
  generation = 1;
  sequence = 0;
  openCount = 0;
  content = 0;

  constructor(next: () => number) {
    this.#next = next;
    this.update(0);
  }

  readonly #next: () => number;

  /** One update, durable on every copy that takes it. */
  update(content: number, generation = this.generation): void {
    this.sequence += 1;
    this.content = content;
    for (const copyIndex of [0, 1, 2])
      this.#write(copyIndex, { sequence: this.sequence, generation, content });
  }

  /** The power goes in the middle of an update: each copy has the old, the new, or a torn version. */
  cutOffUpdate(content: number, generation = this.generation): void {
    for (const copyIndex of [0, 1, 2])
      this.#writeOrNot(copyIndex, { sequence: this.sequence + 1, generation, content });
  }

  hideSlots(): void {
    this.hidden = this.slots.map((_, index) => index < 4 && this.#next() % 4 === 0);
  }

  /** Returns the contents that were found, all repairs made; undefined when the power went in the middle of them. */
  recover(): number | undefined {
    const choice = this.choose();
    expect(choice.found).toBe(true);
    const valid = this.slots[choice.copyIndex * 2 + choice.slot] as Stored;
    this.sequence = valid.sequence;
    this.content = valid.content;
    for (const copyIndex of [0, 1, 2])
      if (choice.repairMask & (1 << copyIndex)) this.#write(copyIndex, valid);
    this.openCount += 1;
    // What is hidden may have the next number (rule R3).
    if (choice.needsTwoUpdates) this.sequence = sequenceAfterHidden(this.sequence, this.openCount) - 1;
    for (let updates = choice.needsTwoUpdates ? 2 : 0; updates > 0; updates -= 1) {
      if (this.#next() % 5 === 0) {
        this.cutOffUpdate(valid.content);
        return undefined;
      }
      this.update(valid.content);
    }
    return valid.content;
  }

  choose(): PageChoice {
    const versions = new PageVersions(3);
    for (const [index, stored] of this.slots.entries()) {
      const [copyIndex, slot] = [Math.floor(index / 2), index % 2];
      if (this.hidden[index]) versions.set(copyIndex, slot, 'unreadable', 0, 0);
      else if (stored === 'torn') versions.set(copyIndex, slot, 'badChecksum', 0, 0);
      else if (stored === 'blank') versions.set(copyIndex, slot, 'blank', 0, 0);
      else versions.set(copyIndex, slot, 'good', stored.sequence, stored.generation);
    }
    const choice = emptyPageChoice();
    choosePage(versions, this.generation, choice);
    return choice;
  }

  #write(copyIndex: number, stored: Stored): void {
    const index = copyIndex * 2 + (stored.sequence % 2);
    const fails = index < 4 && this.#next() % 8 === 0;
    if (!this.hidden[index] && !fails) this.slots[index] = stored;
  }

  #writeOrNot(copyIndex: number, stored: Stored): void {
    const index = copyIndex * 2 + (stored.sequence % 2);
    const outcome = this.#next() % 3;
    if (outcome === 0 || this.hidden[index]) return;
    this.slots[index] = outcome === 1 ? stored : 'torn';
  }
}

describe('a page under power cuts, torn writes and slots that vanish and come back', () => {
  it('never goes back behind what was acknowledged, nor to what was given up', () => {
    const entropy = fc.array(fc.nat({ max: 59 }), { minLength: 60, maxLength: 200 });
    fc.assert(
      fc.property(entropy, (numbers) => {
        const queue = [...numbers];
        const page = new PageUnderAttack(() => queue.shift() ?? 1);
        for (let content = 1; queue.length > 0; content += 1) {
          const before = page.content;
          const action = queue.shift()! % 4;
          if (action === 0) {
            page.update(content);
          } else if (action === 1) {
            page.cutOffUpdate(content);
          } else if (action === 2) {
            page.update(content, page.generation + 1);
            page.generation += 1;
          } else {
            page.cutOffUpdate(content, page.generation + 1);
          }
          const acknowledged = page.content;
          let recovered: number | undefined;
          const allowed = new Set(action === 1 ? [before, content] : [acknowledged]);
          while (recovered === undefined) {
            page.hideSlots();
            recovered = page.recover();
            expect(allowed).toContain(page.content);
          }
        }
      }),
      { numRuns: 3000 },
    );
  });
});
