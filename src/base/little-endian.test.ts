import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NOT_EXACT, readU64, writeU64 } from './little-endian.js';

const exact = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

describe('64-bit little-endian integers', () => {
  it('come back as they were written, at any offset', () => {
    fc.assert(
      fc.property(exact, fc.integer({ min: 0, max: 8 }), (value, offset) => {
        const view = new DataView(new ArrayBuffer(16));
        writeU64(view, offset, value);
        expect(readU64(view, offset)).toBe(value);
      }),
    );
  });

  it('have the bytes that BigInt would write', () => {
    fc.assert(
      fc.property(exact, (value) => {
        const view = new DataView(new ArrayBuffer(8));
        writeU64(view, 0, value);
        expect(view.getBigUint64(0, true)).toBe(BigInt(value));
      }),
    );
  });

  it('read as not exact from 2^53 on', () => {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, 2n ** 53n - 1n, true);
    expect(readU64(view, 0)).toBe(Number.MAX_SAFE_INTEGER);
    for (const value of [2n ** 53n, 2n ** 53n + 1n, 2n ** 64n - 1n]) {
      view.setBigUint64(0, value, true);
      expect(readU64(view, 0)).toBe(NOT_EXACT);
    }
    expect(Number.isSafeInteger(NOT_EXACT)).toBe(false);
  });

  it('are refused when they are not exact, negative or broken', () => {
    const view = new DataView(new ArrayBuffer(8));
    for (const value of [-1, 0.5, 2 ** 53, Number.NaN, NOT_EXACT]) {
      expect(() => writeU64(view, 0, value)).toThrow('not an exact unsigned integer');
    }
  });
});
