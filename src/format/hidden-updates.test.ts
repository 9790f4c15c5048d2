import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HIDDEN_UPDATES_LEAP, sequenceAfterHidden } from './hidden-updates.js';
import { MAX_SEQUENCE } from './layout.js';
import { slotOf } from './superblock.js';

const SEQUENCE = fc.integer({ min: 0, max: MAX_SEQUENCE / 2 });
const OPEN_COUNT = fc.integer({ min: 0, max: 2 ** 32 - 1 });

describe('the update after those that may be hidden', () => {
  it('is above all that one process gives up, in the slot that does not hold the present version', () => {
    fc.assert(
      fc.property(SEQUENCE, OPEN_COUNT, (sequence, openCount) => {
        const next = sequenceAfterHidden(sequence, openCount);
        expect(next).toBeGreaterThan(sequence + HIDDEN_UPDATES_LEAP);
        expect(next).toBeLessThanOrEqual(MAX_SEQUENCE);
        expect(slotOf(next)).toBe(slotOf(sequence + 1));
      }),
    );
  });

  it('has another number for each process that makes it from the same version, the later the higher', () => {
    const starts = [1, 2, 3, 4].map((openCount) => sequenceAfterHidden(7, openCount));
    for (const [index, next] of starts.entries()) {
      if (index > 0) expect(next).toBeGreaterThan(starts[index - 1]! + HIDDEN_UPDATES_LEAP / 2);
    }
  });

  it('stays apart in a life with a leap at every start, also where every other one is given up', () => {
    let durable = 7;
    let givenUp = 0;
    for (let openCount = 1; openCount < 1000; openCount += 1) {
      const next = sequenceAfterHidden(durable, openCount);
      expect(next).toBeGreaterThan(givenUp + HIDDEN_UPDATES_LEAP / 2);
      if (openCount % 2 === 0) durable = next + 100;
      else givenUp = next + 1000;
    }
  });
});
