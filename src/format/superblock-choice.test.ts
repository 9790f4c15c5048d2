import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failed } from '../base/result.js';
import { sequenceAfterHidden } from './hidden-updates.js';
import { METADATA_PAGE_BYTES, superblockAnchors, superblockOffsetBytes } from './layout.js';
import { planRemovedSpare } from './plan-removed-spare.js';
import { seal, viewOf } from './sealed-block.js';
import { type Superblock, slotOf } from './superblock.js';
import { chooseSuperblock, type SuperblockChoice } from './superblock-choice.js';
import { decodeSuperblock, encodeSuperblock } from './superblock-codec.js';
import type { ScannedDevice } from './superblock-evidence.js';
import { exampleSuperblock, uuid } from './testing/example-set.js';

/** Spare devices as far as superblocks go: what lies at each anchor. */
class Spares {
  readonly blocks: Map<number, Uint8Array | 'unreadable'>[];
  readonly sizesBytes: number[];

  constructor(superblock: Superblock) {
    this.sizesBytes = superblock.spares.map((spare) => spare.sizeBytes);
    this.blocks = this.sizesBytes.map((sizeBytes) => {
      return new Map(
        superblockAnchors(sizeBytes).map((anchor) => [anchor, new Uint8Array(METADATA_PAGE_BYTES)]),
      );
    });
  }

  /** Writes this superblock to some of its copies, all unless said. */
  write(superblock: Superblock, copyIndexes: Iterable<number> = superblock.copies.keys()): void {
    for (const copyIndex of copyIndexes)
      this.put(superblock, copyIndex, slotOf(superblock.sequence), superblock);
  }

  /** Writes to one copy; `as` says whose copy it is. */
  put(
    superblock: Superblock,
    copyIndex: number,
    slot: number,
    what: Superblock | Uint8Array | 'unreadable',
  ): void {
    const copy = superblock.copies[copyIndex]!;
    const isBytes = what === 'unreadable' || what instanceof Uint8Array;
    this.blocks[copy.spareIndex]!.set(
      superblockOffsetBytes(copy, slot),
      isBytes ? what : encodedCopy(what, copyIndex),
    );
  }

  scan(deviceOrder: readonly number[] = this.blocks.map((_, index) => index)): readonly ScannedDevice[] {
    return deviceOrder.map((index) => ({
      sizeBytes: this.sizesBytes[index]!,
      candidates: [...this.blocks[index]!].map(([offsetBytes, block]) => ({
        offsetBytes,
        found: block === 'unreadable' ? failed('unreadable' as const) : decodeSuperblock(block),
      })),
    }));
  }
}

function encodedCopy(superblock: Superblock, copyIndex: number): Uint8Array {
  const block = new Uint8Array(METADATA_PAGE_BYTES);
  encodeSuperblock(block, superblock, copyIndex);
  return block;
}

function updateOf(superblock: Superblock, changes: Partial<Superblock> = {}): Superblock {
  return { ...superblock, sequence: superblock.sequence + 1, ...changes };
}

function choiceOf(devices: readonly ScannedDevice[]): SuperblockChoice {
  const chosen = chooseSuperblock(devices);
  if (!chosen.ok) throw new Error(`refused: ${chosen.error.kind}`);
  return chosen.value;
}

function refusalOf(devices: readonly ScannedDevice[]): string {
  const chosen = chooseSuperblock(devices);
  if (chosen.ok) return 'accepted';
  return chosen.error.kind === 'wrongSpare' ? `wrongSpare: ${chosen.error.reason}` : chosen.error.kind;
}

const OLD = exampleSuperblock();
const CURRENT = updateOf(OLD, { updatedSeconds: OLD.updatedSeconds + 1 });

/** Two spares, five copies, two updates written everywhere. */
function healthySpares(): Spares {
  const spares = new Spares(OLD);
  spares.write(OLD);
  spares.write(CURRENT);
  return spares;
}

describe('a healthy set', () => {
  it('gives its newest superblock, and nothing to repair', () => {
    expect(choiceOf(healthySpares().scan())).toEqual({
      superblock: CURRENT,
      readOnly: false,
      deviceOfSpare: [0, 1],
      missingSpares: [],
      staleSpares: [],
      repairs: [],
      needsTwoUpdates: false,
    });
  });

  it('is known in any order of its devices', () => {
    expect(choiceOf(healthySpares().scan([1, 0])).deviceOfSpare).toEqual([1, 0]);
  });

  it('is known when only one superblock was ever written', () => {
    const spares = new Spares(OLD);
    spares.write(OLD);
    expect(choiceOf(spares.scan())).toMatchObject({ superblock: OLD, repairs: [], needsTwoUpdates: false });
  });
});

/** What can become of one copy; it holds OLD and CURRENT in its two slots before. */
const COPY_STATES = {
  good: () => undefined,
  torn: (spares, set, copy) => spares.put(set, copy, slotOf(CURRENT.sequence), tornCopy(copy)),
  notWritten: (spares, set, copy) => spares.put(set, copy, slotOf(CURRENT.sequence), new Uint8Array(4096)),
  stale: (spares, set, copy) => {
    spares.put(set, copy, 0, { ...set, sequence: 4 });
    spares.put(set, copy, 1, { ...set, sequence: 5 });
  },
  corrupt: (spares, set, copy) => {
    for (const slot of [0, 1]) spares.put(set, copy, slot, tornCopy(copy));
  },
  unreadable: (spares, set, copy) => {
    for (const slot of [0, 1]) spares.put(set, copy, slot, 'unreadable');
  },
  overwritten: (spares, set, copy) => {
    for (const slot of [0, 1]) spares.put(set, copy, slot, new Uint8Array(4096).fill(0x42));
  },
  foreign: (spares, set, copy) =>
    spares.put(set, copy, 0, { ...set, setId: new Uint8Array(16), sequence: 100 }),
} satisfies Record<string, (spares: Spares, set: Superblock, copyIndex: number) => void>;

type CopyState = keyof typeof COPY_STATES;
const STATES = Object.keys(COPY_STATES) as CopyState[];

function tornCopy(copyIndex: number): Uint8Array {
  const block = encodedCopy(CURRENT, copyIndex);
  block.set(new Uint8Array(2048), 512);
  return block;
}

function everyMix(copyCount: number): readonly (readonly CopyState[])[] {
  if (copyCount === 0) return [[]];
  return everyMix(copyCount - 1).flatMap((mix) => STATES.map((state) => [...mix, state]));
}

describe('the decision over one spare with three copies', () => {
  const set = exampleSuperblock({ copyCount: 3, spareSizesBytes: [1 << 20] });
  const current = updateOf(set, { updatedSeconds: CURRENT.updatedSeconds });

  function damaged(mix: readonly CopyState[]): Spares {
    const spares = new Spares(set);
    spares.write(set);
    spares.write(current);
    for (const [copyIndex, state] of mix.entries()) COPY_STATES[state](spares, set, copyIndex);
    return spares;
  }

  it('is right for every mix of copy states', () => {
    for (const mix of everyMix(3)) {
      const has = (...states: CopyState[]): boolean => mix.some((state) => states.includes(state));
      const chosen = chooseSuperblock(damaged(mix).scan());
      const title = mix.join(' ');
      if (has('foreign') && has('good', 'torn', 'notWritten', 'stale', 'foreign')) {
        // A foreign copy keeps our own superblock in its other slot.
        expect(chosen, title).toMatchObject({ ok: false, error: { kind: 'mixedSets' } });
      } else if (!has('good', 'torn', 'notWritten', 'stale')) {
        expect(chosen, title).toMatchObject({ ok: false, error: { kind: 'noneFound' } });
      } else {
        const sequence = has('good') ? current.sequence : has('torn', 'notWritten') ? set.sequence : 5;
        const holders: CopyState[] = has('good')
          ? ['good']
          : has('torn', 'notWritten')
            ? ['torn', 'notWritten']
            : ['stale'];
        const repairs = mix.flatMap((state, copyIndex) =>
          holders.includes(state) ? [] : [{ copyIndex, slot: slotOf(sequence) }],
        );
        const needsTwoUpdates = has('torn', 'corrupt', 'unreadable');
        expect(chosen.ok && chosen.value, title).toMatchObject({
          superblock: { sequence },
          repairs,
          needsTwoUpdates,
        });
      }
    }
  });

  it('does not change once the repairs are made', () => {
    for (const mix of everyMix(2).map((two) => [...two, 'good'] as const)) {
      if (mix.includes('foreign')) continue;
      const spares = damaged(mix);
      const { superblock, repairs } = choiceOf(spares.scan());
      spares.write(
        superblock,
        repairs.map((repair) => repair.copyIndex),
      );
      expect(choiceOf(spares.scan())).toMatchObject({ superblock, repairs: [] });
    }
  });
});

describe('a set is refused', () => {
  it('when nothing on the devices is a superblock', () => {
    const spares = new Spares(OLD);
    spares.put(OLD, 0, 0, 'unreadable');
    expect(chooseSuperblock(spares.scan())).toEqual({
      ok: false,
      error: { kind: 'noneFound', seen: ['unreadable', 'blank'] },
    });
    expect(refusalOf([])).toBe('noneFound');
  });

  it('when a newer program wrote any of it', () => {
    for (const change of [
      (view: DataView) => view.setUint16(12, 2, true),
      (view: DataView) => view.setUint32(24, 2, true),
    ]) {
      const spares = healthySpares();
      const block = encodedCopy(OLD, 3);
      change(viewOf(block));
      seal(block);
      spares.put(OLD, 3, 1, block);
      expect(refusalOf(spares.scan())).toBe('newerFormat');
    }
  });

  it('when its devices belong to two sets', () => {
    const other = new Spares(OLD);
    other.write({ ...OLD, setId: uuid('00000000-0000-4000-8000-000000000001') });
    expect(refusalOf([healthySpares().scan()[0]!, other.scan()[1]!])).toBe('mixedSets');
  });

  it('when a spare is missing, with what a caller who goes on without it needs', () => {
    const chosen = chooseSuperblock(healthySpares().scan([1]));
    const choice = { deviceOfSpare: [-1, 0], missingSpares: [0], repairs: [], superblock: CURRENT };
    expect(chosen).toMatchObject({ ok: false, error: { kind: 'spareMissing', choice } });
  });

  it('when a spare was left out by two updates, and not when one was cut off', () => {
    const spares = healthySpares();
    const next = updateOf(CURRENT);
    spares.write(next, [0, 2, 4]);
    expect(choiceOf(spares.scan()).repairs).toEqual([
      { copyIndex: 1, slot: 1 },
      { copyIndex: 3, slot: 1 },
    ]);
    spares.write(updateOf(next), [0, 2, 4]);
    const choice = { staleSpares: [1], missingSpares: [], deviceOfSpare: [0, 1] };
    expect(chooseSuperblock(spares.scan())).toMatchObject({
      ok: false,
      error: { kind: 'spareStale', choice },
    });
  });

  it('and not when the update that was cut off had leapt, and what was before it can be read nowhere else', () => {
    const spares = healthySpares();
    const leapt = { ...updateOf(CURRENT), sequence: sequenceAfterHidden(CURRENT.sequence, 0) };
    spares.write(leapt, [0, 2, 4]);
    for (const copyIndex of [0, 2, 4]) spares.put(CURRENT, copyIndex, slotOf(CURRENT.sequence), 'unreadable');
    expect(choiceOf(spares.scan()).superblock.sequence).toBe(leapt.sequence);
    spares.write({ ...leapt, sequence: leapt.sequence + 2 }, [0, 2, 4]);
    expect(refusalOf(spares.scan())).toBe('spareStale');
  });

  it('when two spares went on without each other', () => {
    const spares = healthySpares();
    for (const copyIndexes of [
      [0, 2, 4],
      [1, 3],
    ]) {
      const first = updateOf(CURRENT, { openCount: 10 + copyIndexes.length });
      spares.write(first, copyIndexes);
      spares.write(updateOf(first), copyIndexes);
    }
    expect(chooseSuperblock(spares.scan())).toEqual({
      ok: false,
      error: { kind: 'diverged', deviceIndexes: [0, 1], sequence: expect.any(Number) },
    });
  });

  it('and not when a copy that could not be read meanwhile has another story of a number that was used again', () => {
    for (const hidden of [[1], [3], [1, 3]]) {
      const spares = healthySpares();
      const again = updateOf(CURRENT, { openCount: 20 });
      spares.write(again);
      spares.write(updateOf(CURRENT, { openCount: 10 }), hidden);
      spares.write(updateOf(again));
      expect(choiceOf(spares.scan()).superblock.openCount).toBe(20);
    }
  });

  it('and not when a spare was being taken out, and one of those behind it has not heard of that (seed 2686)', () => {
    const before = exampleSuperblock({ spareSizesBytes: [16 << 20, 8 << 20, 16 << 20] });
    const spares = new Spares(before);
    spares.write(before);
    spares.write(updateOf(before));
    const { layout } = planRemovedSpare(before, 0);
    const records = layout.spares.map((spare, index) => ({ ...before.spares[index + 1]!, ...spare }));
    const after = updateOf(updateOf({ ...before, ...layout, spares: records }));
    spares.blocks.shift();
    spares.sizesBytes.shift();
    for (const spareIndex of [0, 1]) {
      const written = structuredClone(spares.blocks[spareIndex]!);
      spares.write(after, [after.copies.findIndex((copy) => copy.spareIndex === spareIndex)]);
      const choice = choiceOf(spares.scan([1, 0]));
      expect([choice.deviceOfSpare, choice.staleSpares]).toEqual([[1, 0], []]);
      expect(choice.repairs).toHaveLength(after.copies.length - 1);
      spares.blocks[spareIndex] = written;
    }
  });

  it('when one device is a clone of another', () => {
    expect(refusalOf(healthySpares().scan([0, 1, 1]))).toBe('wrongSpare: duplicate');
  });

  it('when a device was replaced by another one since', () => {
    const spares = healthySpares();
    const replaced = CURRENT.spares.with(1, { ...CURRENT.spares[1]!, uuid: new Uint8Array(16) });
    spares.write(updateOf(CURRENT, { spares: replaced }), [0, 2, 4]);
    expect(refusalOf(spares.scan())).toBe('wrongSpare: replaced');
  });

  it('when a device became smaller', () => {
    const [first, second] = healthySpares().scan();
    expect(refusalOf([first!, { ...second!, sizeBytes: second!.sizeBytes - 4096 }])).toBe(
      'wrongSpare: shrunk',
    );
  });

  it('when a device has no superblock, unless it can only be the one that is missing', () => {
    const spares = healthySpares();
    const blank = new Spares(OLD).scan();
    expect(refusalOf([...spares.scan(), blank[1]!])).toBe('wrongSpare: noSuperblock');
    expect(refusalOf([spares.scan()[0]!, { ...blank[1]!, sizeBytes: 1 << 20 }])).toBe(
      'wrongSpare: noSuperblock',
    );
    const choice = {
      deviceOfSpare: [0, 1],
      missingSpares: [],
      staleSpares: [],
      repairs: [{ copyIndex: 1 }, { copyIndex: 3 }],
    };
    const chosen = chooseSuperblock([spares.scan()[0]!, blank[1]!]);
    expect(chosen).toMatchObject({ ok: false, error: { kind: 'spareUnproven', deviceIndex: 1, choice } });
  });
});

describe('special cases', () => {
  it('a superblock at another place than its own is not evidence', () => {
    const spares = healthySpares();
    spares.put(OLD, 0, 1, encodedCopy({ ...CURRENT, sequence: 99 }, 2));
    expect(choiceOf(spares.scan())).toMatchObject({ superblock: CURRENT, repairs: [] });
  });

  it('a superblock that was misdirected to another spare does not make that the spare it speaks of', () => {
    for (const slot of [0, 1]) {
      const spares = healthySpares();
      spares.put(OLD, 1, slot, misdirected(slot));
      const isCurrent = slot === slotOf(CURRENT.sequence);
      expect(choiceOf(spares.scan())).toMatchObject({
        superblock: CURRENT,
        deviceOfSpare: [0, 1],
        repairs: isCurrent ? [{ copyIndex: 1, slot }] : [],
        needsTwoUpdates: true,
      });
    }
  });

  it('nor where each spare has a single copy', () => {
    const set = { ...CURRENT, ...exampleSuperblock({ copyCount: 2 }), sequence: CURRENT.sequence };
    for (const slot of [0, 1]) {
      const spares = new Spares(set);
      for (const each of [{ ...set, sequence: set.sequence - 1 }, set]) spares.write(each);
      spares.put(set, 1, slot, misdirected(slot, set));
      const choice = { deviceOfSpare: [0, 1], needsTwoUpdates: true };
      expect(choiceOf(spares.scan())).toMatchObject(choice);
      // Alone it could be either.
      expect(refusalOf([spares.scan()[1]!])).not.toBe('accepted');
    }
  });

  it('two of them may be the beginning of a clone, which is refused', () => {
    const spares = healthySpares();
    for (const slot of [0, 1]) spares.put(OLD, 1, slot, misdirected(slot));
    spares.put(OLD, 3, 0, new Uint8Array(METADATA_PAGE_BYTES));
    expect(refusalOf(spares.scan())).toBe('wrongSpare: duplicate');
  });

  it('a read-only feature leaves nothing to repair', () => {
    const spares = healthySpares();
    const block = encodedCopy(updateOf(CURRENT), 0);
    viewOf(block).setUint32(20, 1, true);
    seal(block);
    spares.put(OLD, 0, slotOf(CURRENT.sequence + 1), block);
    expect(choiceOf(spares.scan())).toMatchObject({ readOnly: true, repairs: [], needsTwoUpdates: false });
  });

  it('a device that grew is known, and its unscanned copies are written anew', () => {
    const [first, second] = healthySpares().scan();
    const seenAtStart = second!.candidates.filter((candidate) => candidate.offsetBytes < 8192);
    const grown = { sizeBytes: second!.sizeBytes * 2, candidates: seenAtStart };
    expect(choiceOf([first!, grown])).toMatchObject({ repairs: [{ copyIndex: 3 }], needsTwoUpdates: true });
  });

  it('of two superblocks with one sequence the one of the higher generation counts', () => {
    const spares = healthySpares();
    const again = { ...CURRENT, generation: CURRENT.generation + 1 };
    spares.write(again, [2, 1]);
    expect(choiceOf(spares.scan())).toMatchObject({
      superblock: again,
      repairs: [0, 3, 4].map((copyIndex) => ({ copyIndex })),
    });
  });
});

/** The first copy's superblock, of which the first spare is, in this slot. */
function misdirected(slot: number, set: Superblock = CURRENT): Uint8Array {
  return encodedCopy({ ...set, sequence: set.sequence - (slotOf(set.sequence) === slot ? 0 : 1) }, 0);
}

describe('updates that are cut off', () => {
  it('leave the old superblock or the new one, for good, wherever the power goes', () => {
    const entropy = fc.array(fc.nat({ max: 1000 }), { minLength: 40, maxLength: 80 });
    fc.assert(
      fc.property(entropy, (numbers) => {
        const set = exampleSuperblock({ copyCount: 3, spareSizesBytes: [1 << 20] });
        const spares = new Spares(set);
        spares.write(set);
        let durable = set;
        for (const cut of numbers) {
          const next = updateOf(durable, { openCount: durable.openCount + 1 });
          const outcome = (copyIndex: number): number => Math.floor(cut / 10 ** copyIndex) % 10;
          const whole = [0, 1, 2].map((copyIndex) => tear(spares, next, copyIndex, outcome(copyIndex)));
          const { superblock, repairs, needsTwoUpdates } = choiceOf(spares.scan());
          const expected = whole.includes(true) ? next : durable;
          expect(superblock).toEqual(expected);
          spares.write(
            superblock,
            repairs.map((repair) => repair.copyIndex),
          );
          durable = superblock;
          for (let updates = needsTwoUpdates ? 2 : 0; updates > 0; updates -= 1) {
            durable = updateOf(durable);
            spares.write(durable);
          }
          expect(choiceOf(spares.scan())).toMatchObject({
            superblock: durable,
            repairs: [],
            needsTwoUpdates: false,
          });
        }
      }),
      { numRuns: 10 },
    );
  });

  /**
   * The first `sectors` of the copy reach the disk; 8 is all of it, 9 is nothing. True when the copy is complete then:
   * the tail of a superblock seldom changes.
   */
  function tear(spares: Spares, next: Superblock, copyIndex: number, sectors: number): boolean {
    if (sectors === 9) return false;
    const copy = next.copies[copyIndex]!;
    const place = superblockOffsetBytes(copy, slotOf(next.sequence));
    const whole = encodedCopy(next, copyIndex);
    const block = (spares.blocks[copy.spareIndex]!.get(place) as Uint8Array).slice();
    block.set(whole.subarray(0, sectors * 512));
    spares.put(next, copyIndex, slotOf(next.sequence), block);
    return Buffer.compare(block, whole) === 0;
  }
});
