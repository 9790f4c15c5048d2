import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  descriptorOffsetBytes,
  pageOffsetBytes,
  pageOfUnit,
  regionBytes,
  superblockAnchors,
  superblockOffsetBytes,
  unitOffsetBytes,
  zoneEndBytes,
  zoneStartBytes,
} from './layout.js';

const COPY = { spareIndex: 0, offsetBytes: 1 << 20, pageCapacity: 10 };

describe('a copy region', () => {
  it('starts with two superblocks, then the text note, then two versions of each page', () => {
    expect(superblockOffsetBytes(COPY, 0)).toBe(1 << 20);
    expect(superblockOffsetBytes(COPY, 1)).toBe((1 << 20) + 4096);
    expect(pageOffsetBytes(COPY, 0, 0)).toBe((1 << 20) + 16384);
    expect(pageOffsetBytes(COPY, 0, 1)).toBe((1 << 20) + 20480);
    expect(pageOffsetBytes(COPY, 9, 1)).toBe((1 << 20) + regionBytes(10) - 4096);
  });

  it('has no other pages and slots', () => {
    expect(() => pageOffsetBytes(COPY, 10, 0)).toThrow('page 10 of 10');
    expect(() => pageOffsetBytes(COPY, 0, 2)).toThrow('slot 2');
    expect(() => superblockOffsetBytes(COPY, -1)).toThrow('slot -1');
  });
});

describe('a spare unit', () => {
  it('has its descriptor in page unit / 126, behind the header', () => {
    expect([pageOfUnit(125), descriptorOffsetBytes(125)]).toEqual([0, 64 + 125 * 32]);
    expect([pageOfUnit(126), descriptorOffsetBytes(126)]).toEqual([1, 64]);
  });

  it('lies at its number within its spare', () => {
    const spare = { sizeBytes: 1 << 20, firstUnit: 252, unitCount: 378 };
    expect(unitOffsetBytes(spare, 255, 4096)).toBe(3 * 4096);
    expect(() => unitOffsetBytes(spare, 251, 4096)).toThrow('another spare');
    expect(() => unitOffsetBytes(spare, 630, 4096)).toThrow('another spare');
  });
});

describe('zones', () => {
  it('are eighths of the device, aligned to 64 KiB', () => {
    expect(zoneStartBytes(8 << 20, 3)).toBe(3 << 20);
    expect(zoneStartBytes((8 << 20) + 4096, 7)).toBe(7 << 20);
    expect(zoneEndBytes((8 << 20) + 4096, 7)).toBe((8 << 20) + 4096);
  });

  it('are where exact arithmetic puts them, for any size', () => {
    const size = fc.integer({ min: 0, max: 2 ** 53 - 1 });
    fc.assert(
      fc.property(size, fc.integer({ min: 0, max: 7 }), (sizeBytes, zone) => {
        const exact = (BigInt(sizeBytes) * BigInt(zone)) / 8n;
        expect(zoneStartBytes(sizeBytes, zone)).toBe(Number(exact - (exact % 65536n)));
      }),
    );
  });

  it('give two anchors each, all inside the device and different', () => {
    expect(superblockAnchors(1 << 20)).toHaveLength(16);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4 << 20 }), (sizeBytes) => {
        const anchors = superblockAnchors(sizeBytes);
        expect(new Set(anchors).size).toBe(anchors.length);
        for (const anchor of anchors) expect(anchor + 4096).toBeLessThanOrEqual(sizeBytes);
      }),
    );
  });
});
