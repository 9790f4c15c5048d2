import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LockedRange, RangeLocks } from './range-lock.js';

const steps = fc.array(
  fc.record({ ask: fc.boolean(), first: fc.nat(30), length: fc.nat(8), pick: fc.nat(1000) }),
  { maxLength: 60 },
);

function overlap(a: LockedRange, b: LockedRange): boolean {
  return a.firstUnit <= b.lastUnit && b.firstUnit <= a.lastUnit;
}

/** Asks and releases as told; `inForce` has all ranges in order of arrival, `check` is called after every step. */
function play(
  history: readonly { ask: boolean; first: number; length: number; pick: number }[],
  check: (locks: RangeLocks, inForce: readonly LockedRange[], granted: readonly LockedRange[]) => void,
): { locks: RangeLocks; inForce: LockedRange[] } {
  const locks = new RangeLocks();
  const inForce: LockedRange[] = [];
  for (const { ask, first, length, pick } of history) {
    const held = inForce.filter((range) => range.granted);
    if (ask || held.length === 0) {
      const range = locks.ask(first, first + length);
      inForce.push(range);
      check(locks, inForce, range.granted ? [range] : []);
    } else {
      const { released, granted } = locks.release(held[pick % held.length]!.id);
      inForce.splice(inForce.indexOf(released), 1);
      check(locks, inForce, granted);
    }
  }
  return { locks, inForce };
}

describe('range locks', () => {
  it('never grant two ranges that overlap', () => {
    fc.assert(
      fc.property(steps, (history) => {
        play(history, (_, inForce) => {
          const held = inForce.filter((range) => range.granted);
          for (const [index, range] of held.entries()) {
            expect(held.slice(index + 1).some((other) => overlap(range, other))).toBe(false);
          }
        });
      }),
    );
  });

  it('grant a range exactly when no earlier one in force overlaps it', () => {
    fc.assert(
      fc.property(steps, (history) => {
        play(history, (locks, inForce, justGranted) => {
          for (const [index, range] of inForce.entries()) {
            const blocked = inForce.slice(0, index).some((other) => overlap(range, other));
            expect(range.granted).toBe(!blocked);
          }
          expect(justGranted.every((range) => range.granted)).toBe(true);
          expect(locks.count).toBe(inForce.length);
        });
      }),
    );
  });

  it('let everybody have a turn once those before have ended', () => {
    fc.assert(
      fc.property(steps, (history) => {
        const { locks, inForce } = play(history, () => {});
        const total = inForce.length;
        for (let ended = 0; ended < total; ended += 1) {
          const next = inForce.find((range) => range.granted);
          expect(next, 'somebody always holds a lock').toBeDefined();
          locks.release(next!.id);
          inForce.splice(inForce.indexOf(next!), 1);
        }
        expect(locks.count).toBe(0);
      }),
    );
  });

  it('keep a later range behind one that waits, even where nobody holds its units', () => {
    const locks = new RangeLocks();
    const first = locks.ask(0, 4);
    const wide = locks.ask(3, 20);
    const late = locks.ask(10, 10);
    expect([first.granted, wide.granted, late.granted]).toEqual([true, false, false]);
    expect(locks.release(first.id).granted).toEqual([wide]);
    expect(late.granted).toBe(false);
    expect(locks.release(wide.id).granted).toEqual([late]);
  });

  it('hold new requests back from a range that waits as from one that is held', () => {
    const locks = new RangeLocks();
    locks.ask(0, 4);
    locks.ask(4, 9);
    expect([locks.overlaps(9, 12), locks.overlaps(10, 12)]).toEqual([true, false]);
  });

  it('refuse to release what is not held', () => {
    const locks = new RangeLocks();
    locks.ask(0, 4);
    const waiting = locks.ask(4, 4);
    expect(() => locks.release(waiting.id)).toThrow('is held');
    expect(() => locks.release(99)).toThrow('is held');
  });
});
