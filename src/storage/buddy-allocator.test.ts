import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PAGE_BYTES } from '../ports/io-memory.js';
import { BuddyAllocator } from './buddy-allocator.js';

const MIB = 1 << 20;

describe('BuddyAllocator', () => {
  it('rounds a request up to a power of two of pages', () => {
    const allocator = new BuddyAllocator(MIB);
    allocator.allocate(1);
    expect(allocator.usedBytes).toBe(4096);
    allocator.allocate(4097);
    expect(allocator.usedBytes).toBe(4096 + 8192);
    allocator.allocate(3 * 4096);
    expect(allocator.usedBytes).toBe(4096 + 8192 + 16384);
    expect(allocator.freeBytes).toBe(MIB - allocator.usedBytes);
  });

  it('hands out the whole region as one block, and says -1 when nothing is left', () => {
    const allocator = new BuddyAllocator(MIB, 8192);
    expect(allocator.allocate(MIB)).toBe(8192);
    expect(allocator.allocate(1)).toBe(-1);
    allocator.free(8192);
    expect(allocator.allocate(MIB + 1)).toBe(-1);
    expect(allocator.allocate(MIB)).toBe(8192);
  });

  it('merges buddies whatever the order they are freed in', () => {
    const allocator = new BuddyAllocator(MIB);
    const offsets = Array.from({ length: 256 }, () => allocator.allocate(4096));
    expect(allocator.freeBytes).toBe(0);
    for (const offset of offsets.filter((_, index) => index % 2 === 1)) allocator.free(offset);
    expect(allocator.allocate(8192)).toBe(-1);
    for (const offset of offsets.filter((_, index) => index % 2 === 0)) allocator.free(offset);
    expect(allocator.allocate(MIB)).toBe(0);
  });

  it('uses all of a region that is not a power of two', () => {
    const allocator = new BuddyAllocator(7 * PAGE_BYTES);
    expect(allocator.allocate(8 * PAGE_BYTES)).toBe(-1);
    expect(allocator.allocate(4 * PAGE_BYTES)).toBe(0);
    expect(allocator.allocate(2 * PAGE_BYTES)).toBe(4 * PAGE_BYTES);
    expect(allocator.allocate(PAGE_BYTES)).toBe(6 * PAGE_BYTES);
    expect(allocator.freeBytes).toBe(0);
  });

  it('gives nothing out of an empty region', () => {
    expect(new BuddyAllocator(0).allocate(1)).toBe(-1);
  });

  it('asserts double frees, foreign offsets and offsets inside a block', () => {
    const allocator = new BuddyAllocator(MIB, 4096);
    const offset = allocator.allocate(8192);
    for (const wrong of [0, offset + 4096, offset + 1, 4096 + MIB, -4096, Number.NaN]) {
      expect(() => allocator.free(wrong)).toThrow();
    }
    allocator.free(offset);
    expect(() => allocator.free(offset)).toThrow();
    expect(() => allocator.allocate(0)).toThrow();
  });

  it('never overlaps blocks in use, counts right, and is whole again in the end', () => {
    const steps = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 300_000 })), { maxLength: 300 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 130 }), steps, (pages, plan) => playPlan(pages, plan)),
      { numRuns: 60 },
    );
  });
});

function playPlan(pageCount: number, plan: readonly (readonly [boolean, number])[]): void {
  const base = 5 * PAGE_BYTES;
  const allocator = new BuddyAllocator(pageCount * PAGE_BYTES, base);
  const owner = new Int32Array(pageCount);
  const inUse = new Map<number, number>();
  let nextOwner = 1;
  for (const [wantsFree, number] of plan) {
    if (wantsFree && inUse.size > 0) {
      const offset = [...inUse.keys()][number % inUse.size]!;
      const first = (offset - base) / PAGE_BYTES;
      owner.fill(0, first, first + inUse.get(offset)!);
      inUse.delete(offset);
      allocator.free(offset);
    } else {
      const pages = 2 ** Math.ceil(Math.log2(Math.ceil(number / PAGE_BYTES)));
      const offset = allocator.allocate(number);
      if (offset === -1) {
        expect(hasAlignedGap(owner, pages), `a gap of ${pages} pages was there`).toBe(false);
        continue;
      }
      const first = (offset - base) / PAGE_BYTES;
      expect(offset % PAGE_BYTES).toBe(0);
      expect(first + pages).toBeLessThanOrEqual(pageCount);
      expect(owner.subarray(first, first + pages).every((value) => value === 0)).toBe(true);
      owner.fill(nextOwner, first, first + pages);
      nextOwner += 1;
      inUse.set(offset, pages);
    }
    const usedPages = [...inUse.values()].reduce((sum, pages) => sum + pages, 0);
    expect(allocator.usedBytes).toBe(usedPages * PAGE_BYTES);
  }
  for (const offset of inUse.keys()) allocator.free(offset);
  expect(allocator.freeBytes).toBe(pageCount * PAGE_BYTES);
  expect(allocator.allocate(2 ** Math.floor(Math.log2(pageCount)) * PAGE_BYTES)).toBe(base);
}

/** Merging at once means: whenever an aligned gap exists, it is one free block. */
function hasAlignedGap(owner: Int32Array, pages: number): boolean {
  for (let first = 0; first + pages <= owner.length; first += pages) {
    if (owner.subarray(first, first + pages).every((value) => value === 0)) return true;
  }
  return false;
}
