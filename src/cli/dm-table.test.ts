import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RemapReport } from '../library/offline-types.js';
import type { TableSource } from './dm-table.js';
import { dmTableOf, formatDmTable } from './dm-table.js';

const UNIT_SECTORS = 8;

describe('the device-mapper table', () => {
  it('is one line when nothing is remapped', () => {
    expect(formatDmTable(dmTableOf(source(1000, [])), '/dev/sda', [])).toBe('0 1000 linear /dev/sda 0\n');
  });

  it('gives paths as dmsetup hands them to the kernel, for which a backslash is a quote', () => {
    expect(formatDmTable(dmTableOf(source(8, [])), '/dev/disk/by-partlabel/My\\x20old disk', [])).toBe(
      '0 8 linear /dev/disk/by-partlabel/My\\\\x20old\\ disk 0\n',
    );
  });

  it('sends remapped units to their spare, merges neighbours and gives an error for lost blocks', () => {
    const table = source(100, [
      remap(16, 0, 500),
      remap(24, 0, 508),
      remap(48, 1, 80, [48, 49, 55]),
      remap(96, 1, 8),
    ]);
    expect(formatDmTable(dmTableOf(table), '/dev/sda', ['/dev/sdb', '/dev/sdc'])).toBe(
      [
        '0 16 linear /dev/sda 0',
        '16 16 linear /dev/sdb 500',
        '32 16 linear /dev/sda 32',
        '48 2 error',
        '50 5 linear /dev/sdc 82',
        '55 1 error',
        '56 40 linear /dev/sda 56',
        '96 4 linear /dev/sdc 8',
        '',
      ].join('\n'),
    );
  });

  it('covers every sector exactly once and sends each to its place', () => {
    fc.assert(
      fc.property(tableSources(), (table) => {
        const expected = placeOfEverySector(table);
        const found: string[] = [];
        for (const row of dmTableOf(table)) {
          expect(row.startSector).toBe(found.length);
          expect(row.sectorCount).toBeGreaterThan(0);
          for (let within = 0; within < row.sectorCount; within += 1) {
            found.push(row.target === 'lost' ? 'lost' : `${row.target} ${row.offsetSector + within}`);
          }
        }
        expect(found).toEqual(expected);
      }),
    );
  });

  it('refuses two remaps of one unit', () => {
    expect(() => dmTableOf(source(100, [remap(16, 0, 500), remap(16, 0, 508)]))).toThrow('two remaps');
  });
});

function source(sectorCount: number, remaps: RemapReport[]): TableSource {
  const sizeBytes = sectorCount * 512;
  const cut = remaps.map((one) => ({
    ...one,
    sectorCount: Math.min(UNIT_SECTORS, sectorCount - one.mainSector),
  }));
  return { main: { sizeBytes, model: '', serial: '', wwn: '' }, logicalBlockBytes: 512, remaps: cut };
}

function remap(
  mainSector: number,
  spareIndex: number,
  spareSector: number,
  lostSectors: number[] = [],
): RemapReport {
  return {
    mainUnit: mainSector / UNIT_SECTORS,
    mainSector,
    sectorCount: UNIT_SECTORS,
    spareIndex,
    spareSector,
    reason: 'writeError',
    lostSectors,
    errorCount: 1,
    timeSeconds: 0,
  };
}

/** Remaps in any order, next to each other or not, on two spares, with any blocks lost. */
function tableSources(): fc.Arbitrary<TableSource> {
  const unit = fc.record({ spare: fc.nat(1), slot: fc.nat(40), lostMask: fc.nat(255) });
  return fc
    .tuple(fc.integer({ min: 1, max: 200 }), fc.dictionary(fc.nat(30).map(String), unit))
    .map(([sectorCount, units]) => {
      const remaps = Object.entries(units)
        .map(([index, { spare, slot, lostMask }]) => {
          const first = Number(index) * UNIT_SECTORS;
          const all = Array.from({ length: UNIT_SECTORS }, (_, block) => first + block);
          const lost = all.filter(
            (sector, block) => ((lostMask >>> block) & 1) === 1 && sector < sectorCount,
          );
          return remap(first, spare, slot * UNIT_SECTORS, lost);
        })
        .filter((one) => one.mainSector < sectorCount);
      return source(sectorCount, remaps.reverse());
    });
}

function placeOfEverySector(table: TableSource): string[] {
  const places = Array.from({ length: table.main.sizeBytes / 512 }, (_, sector) => `main ${sector}`);
  for (const one of table.remaps) {
    for (let within = 0; within < one.sectorCount; within += 1) {
      const sector = one.mainSector + within;
      const isLost = one.lostSectors.includes(sector);
      places[sector] = isLost ? 'lost' : `${one.spareIndex} ${one.spareSector + within}`;
    }
  }
  return places;
}
