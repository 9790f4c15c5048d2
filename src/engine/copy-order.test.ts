import { describe, expect, it } from 'vitest';
import { CopyOrder } from './copy-order.js';
import { REGION_BYTES } from './limits.js';
import { RegionFilter, RegionFlag } from './region-filter.js';

function orderOf(regionCount: number, moved: readonly number[] = []): CopyOrder {
  const mainSizeBytes = regionCount * REGION_BYTES - 512;
  const filter = RegionFilter.allocate(mainSizeBytes);
  for (const region of moved) filter.set(region * REGION_BYTES, 1, RegionFlag.remapped);
  return new CopyOrder(mainSizeBytes, filter);
}

/** The regions of one pass, in order; `bad` ones can't be copied. */
function pass(order: CopyOrder, bad: ReadonlySet<number>): number[] {
  const taken: number[] = [];
  for (let region = order.take(); region !== -1; region = order.take()) {
    taken.push(region);
    order.note(region, !bad.has(region));
  }
  return taken;
}

describe('the order in which regions are copied', () => {
  it('is one pass forwards where all is well', () => {
    const order = orderOf(5);
    expect(pass(order, new Set())).toEqual([0, 1, 2, 3, 4]);
    expect(order.isWhole).toBe(true);
    expect(order.nextPass()).toBe(false);
  });

  it('leaves out what was moved and leaps ahead of what is bad, comes back from behind, and then to what is bad', () => {
    const order = orderOf(20, [2]);
    const bad = new Set([4, 6, 5]);
    // After 4 it goes on at 6, which is bad as well, and then at 10.
    expect(pass(order, bad)).toEqual([0, 1, 3, 4, 6, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
    expect(order.nextPass()).toBe(true);
    expect(pass(order, bad)).toEqual([9, 8, 7, 5, 2]);
    expect(order.nextPass()).toBe(true);
    expect(order.pass).toBe('thorough');
    expect(pass(order, new Set([5]))).toEqual([4, 5, 6]);
    expect(order.nextPass()).toBe(true);
    expect(pass(order, new Set())).toEqual([5]);
    expect(order.nextPass()).toBe(false);
    expect(order.copiedCount).toBe(20);
  });

  it('ends when a round gets nothing more, and after four rounds in any case', () => {
    const fruitless = orderOf(8);
    const bad = new Set([3]);
    let passes = 0;
    do {
      pass(fruitless, bad);
      passes += 1;
    } while (fruitless.nextPass());
    expect(passes).toBe(3);
    expect(fruitless.isWhole).toBe(false);

    const slow = orderOf(40);
    const left = new Set(Array.from({ length: 40 }, (_, region) => region));
    let rounds = 0;
    do {
      pass(slow, left);
      if (slow.pass === 'thorough') rounds += 1;
      left.delete(left.values().next().value!);
    } while (slow.nextPass());
    expect(rounds).toBe(4);
  });

  it('has one more round for what became stale, and none for what was not copied anyhow', () => {
    const order = orderOf(6);
    pass(order, new Set([5]));
    order.nextPass();
    pass(order, new Set([5]));
    order.nextPass();
    pass(order, new Set([5]));
    order.noteStale(2);
    order.noteStale(5);
    expect(order.copiedCount).toBe(4);
    order.beginAgain();
    expect(pass(order, new Set())).toEqual([2, 5]);
    expect(order.isWhole).toBe(true);
  });
});
