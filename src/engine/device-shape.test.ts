import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeviceShape } from './device-shape.js';

const SPARES = [
  { sizeBytes: 126 * 4096, firstUnit: 0, unitCount: 126 },
  { sizeBytes: 252 * 4096, firstUnit: 126, unitCount: 252 },
  { sizeBytes: 126 * 4096, firstUnit: 378, unitCount: 126 },
];

function shapeOf(mainSizeBytes: number, unitBytes = 4096, logicalBlockBytes = 512): DeviceShape {
  return new DeviceShape({ mainSizeBytes, unitBytes, logicalBlockBytes, spares: SPARES });
}

describe('the shape of a device', () => {
  it('gives every spare unit its place on the spare that it belongs to', () => {
    const shape = shapeOf(1 << 20);
    const seen = [];
    for (let spareUnit = 0; spareUnit < shape.spareUnitCount; spareUnit += 1) {
      seen.push([shape.targetOf(spareUnit), shape.spareOffsetBytes(spareUnit)]);
    }
    const expected = SPARES.flatMap(({ unitCount }, index) =>
      Array.from({ length: unitCount }, (_, local) => [1 + index, local * 4096]),
    );
    expect(seen).toEqual(expected);
  });

  it('cuts the last unit where the device ends', () => {
    const shape = shapeOf(10 * 4096 + 1536);
    expect([shape.unitLengthBytes(9), shape.unitLengthBytes(10)]).toEqual([4096, 1536]);
    expect(shapeOf(10 * 4096).unitLengthBytes(9)).toBe(4096);
  });

  it('names the blocks between two offsets by their bits', () => {
    const geometries = fc.constantFrom([512, 512], [4096, 512], [16384, 512], [4096, 4096], [131072, 4096]);
    fc.assert(
      fc.property(geometries, fc.nat(31), fc.nat(31), ([unitBytes, blockBytes], one, other) => {
        const shape = shapeOf(1 << 20, unitBytes, blockBytes);
        const first = Math.min(one, other) % shape.blocksPerUnit;
        const last = Math.max(first, Math.max(one, other) % shape.blocksPerUnit);
        const mask = shape.blockMask(first * blockBytes!, (last + 1) * blockBytes!);
        for (let block = 0; block < 32; block += 1) {
          expect((mask >>> block) & 1).toBe(block >= first && block <= last ? 1 : 0);
        }
        expect(mask).toBeGreaterThan(0);
      }),
    );
  });

  it('has a full mask of one bit for each block of a unit', () => {
    expect(shapeOf(1 << 20).fullLostMask).toBe(0xff);
    expect(shapeOf(1 << 20, 16384).fullLostMask).toBe(0xffff_ffff);
    expect(shapeOf(1 << 20, 4096, 4096).fullLostMask).toBe(1);
  });

  it('refuses sizes that the format does not have', () => {
    expect(() => shapeOf(1 << 20, 6144)).toThrow('unit of 6144 bytes');
    expect(() => shapeOf(1 << 20, 32768)).toThrow('blocks per unit');
    expect(() => shapeOf(1 << 20, 512, 4096)).toThrow('blocks per unit');
    expect(() => shapeOf((1 << 20) + 100)).toThrow('whole logical blocks');
  });
});
