import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NOT_EXACT } from '../../base/little-endian.js';
import { type ImportPlace, judgeRemaps } from './judge-remaps.js';
import type { ModuleRemap } from './module-remap.js';

function remap(mainSector: number, spareSector: number): ModuleRemap {
  return { mainSector, spareSector, state: 'active', timeSeconds: 0, copies: [0], doubts: [] };
}

const PLACE: ImportPlace = {
  mainSectors: 204800,
  spareSectors: 8192,
  metadata: [
    { firstSector: 0, sectorCount: 1280 },
    { firstSector: 4096, sectorCount: 1 },
  ],
  hasSmallSectors: true,
};

function doubtsOf(remaps: readonly ModuleRemap[], place = PLACE): readonly (readonly string[])[] {
  return judgeRemaps(remaps, place).map(({ doubts }) => doubts);
}

describe('a remap', () => {
  it.each([
    [remap(1000, 5000), []],
    [remap(204799, 8191), []],
    [remap(0, 1280), []],
    [remap(204800, 5000), ['mainOutOfRange']],
    [remap(NOT_EXACT, NOT_EXACT), ['mainOutOfRange', 'spareOutOfRange']],
    [remap(1000, 8192), ['spareOutOfRange']],
    [remap(1000, 0), ['spareInMetadata']],
    [remap(1000, 1279), ['spareInMetadata']],
    [remap(1000, 4096), ['spareInMetadata']],
    [remap(1000, 4097), []],
  ])('%j has the doubts %j', (one, doubts) => {
    expect(doubtsOf([one])).toEqual([doubts]);
  });

  it('keeps the doubts of its record', () => {
    expect(doubtsOf([{ ...remap(1, 0), doubts: ['copiesDisagree'] }])).toEqual([
      ['copiesDisagree', 'spareInMetadata'],
    ]);
  });

  it('is doubtful when another has its sector, on either side, and so is the other', () => {
    expect(
      doubtsOf([remap(1, 5000), remap(1, 5001), remap(2, 5002), remap(3, 5002), remap(4, 5003)]),
    ).toEqual([['repeatedMain'], ['repeatedMain'], ['repeatedSpare'], ['repeatedSpare'], []]);
  });

  it('is doubtful on disks with larger sectors', () => {
    expect(doubtsOf([remap(1, 5000)], { ...PLACE, hasSmallSectors: false })).toEqual([['largeSectors']]);
  });

  it('without doubts is in range, outside the metadata and alone on both sides, in any list', () => {
    const sector = fc.oneof(fc.nat(300000), fc.nat(20), fc.constant(NOT_EXACT));
    fc.assert(
      fc.property(fc.array(fc.tuple(sector, sector), { maxLength: 40 }), (pairs) => {
        const judged = judgeRemaps(
          pairs.map(([main, spare]) => remap(main, spare)),
          PLACE,
        );
        const trusted = judged.filter(({ doubts }) => doubts.length === 0);
        for (const { mainSector, spareSector } of trusted) {
          expect(mainSector).toBeLessThan(204800);
          expect(spareSector).toBeGreaterThanOrEqual(1280);
          expect(spareSector).toBeLessThan(8192);
        }
        expect(new Set(trusted.map((one) => one.mainSector)).size).toBe(trusted.length);
        expect(new Set(trusted.map((one) => one.spareSector)).size).toBe(trusted.length);
      }),
    );
  });
});
