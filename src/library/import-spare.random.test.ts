import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { xorshift } from '../../test/support/xorshift.js';
import { writeV4Copies } from '../format/import/testing/module-image.js';
import { DmRemapError } from './errors.js';
import { importSpare, planImport } from './import-spare.js';
import { inspectSpares } from './inspect-spares.js';

/*
 * Spares of the module with random tables and random damage, imported and compared with a model that shares nothing
 * with the decoder. 250 rounds of it were run when this was written.
 */

const ROUND_COUNT = 12;
const MAIN_SECTORS = 20000;
const SPARE_SECTORS = 4000;
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dmr-import-'));
  writeFileSync(path('main'), numbered('MAIN', MAIN_SECTORS));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

function path(name: string): string {
  return join(directory, name);
}

/** Sector n says so. */
function numbered(name: string, sectorCount: number): Buffer {
  const bytes = Buffer.alloc(sectorCount * 512);
  for (let sector = 0; sector < sectorCount; sector += 1) bytes.write(`${name}-${sector}`, sector * 512);
  return bytes;
}

type Pair = readonly [main: number, spare: number];

/** Writes a spare with five copies in random states; answers the tables of those that are whole. */
function writeRandomSpare(below: (bound: number) => number): Pair[][] {
  const image = numbered('OLD', SPARE_SECTORS);
  const whole: Pair[][] = [];
  const table = Array.from({ length: below(30) }, () => ({
    main: below(20) === 0 ? below(MAIN_SECTORS + 50) : below(300),
    spare: below(6) === 0 ? below(SPARE_SECTORS + 50) : 1280 + below(SPARE_SECTORS - 1280),
    flags: 1 + below(2),
  }));
  for (let copyIndex = 0; copyIndex < 5; copyIndex += 1) {
    const state = (['missing', 'stale', 'damaged', 'whole', 'whole', 'whole'] as const)[below(6)]!;
    if (state === 'missing') continue;
    const remaps = state === 'stale' ? table.slice(0, below(table.length + 1)) : table;
    const sizes = { mainSectors: MAIN_SECTORS, spareSectors: SPARE_SECTORS };
    writeV4Copies(image, { sequence: 1 + below(3), ...sizes, remaps }, [copyIndex]);
    if (state === 'damaged') image[copyIndex * 0x20000 + below(84288)]! ^= 1 << below(8);
    else whole.push(remaps.map(({ main, spare }) => [main, spare]));
  }
  writeFileSync(path('old'), image);
  return whole;
}

/** Pairs that all whole copies have, in range, and alone on both sides in all that any copy says. */
function trustedPairs(tables: readonly Pair[][]): Map<number, number> {
  const said = tables.flatMap((table) => table.map(String));
  const isRepeated = (pair: Pair): boolean =>
    tables.some((table) => table.filter((other) => String(other) === String(pair)).length > 1);
  const distinct = [...new Set(said)].map((text): Pair => {
    const [main, spare] = text.split(',').map(Number);
    return [main!, spare!];
  });
  const trusted = distinct.filter(
    ([main, spare]) =>
      main < MAIN_SECTORS &&
      spare >= 1280 &&
      spare < SPARE_SECTORS &&
      tables.every((table) => table.some((pair) => pair[0] === main && pair[1] === spare)) &&
      distinct.every((pair) => (pair[0] === main) === (pair[1] === spare)) &&
      !isRepeated([main, spare]),
  );
  return new Map(trusted);
}

async function compare(trusted: ReadonlyMap<number, number>, context: string): Promise<void> {
  const { remaps } = await inspectSpares([path('new')]);
  const image = readFileSync(path('new'));
  const units = new Set([...trusted.keys()].map((main) => main - (main % 8)));
  expect(new Set(remaps.map(({ mainSector }) => mainSector)), context).toEqual(units);
  for (const { mainSector, spareSector, sectorCount, lostSectors } of remaps) {
    expect(lostSectors, context).toEqual([]);
    for (let nth = 0; nth < sectorCount; nth += 1) {
      const from = trusted.get(mainSector + nth);
      const text = from === undefined ? `MAIN-${mainSector + nth}\0` : `OLD-${from}\0`;
      const at = (spareSector + nth) * 512;
      expect(image.toString('latin1', at, at + text.length), context).toBe(text);
    }
  }
}

describe('random spares of the module', () => {
  it('give what all whole copies say, if nothing speaks against it, and never anything else', async () => {
    const seed = (Date.now() % 0xffff_ffff) + 1;
    const random = xorshift(seed);
    for (let round = 0; round < ROUND_COUNT; round += 1) {
      const context = `seed ${seed}, round ${round}`;
      const trusted = trustedPairs(writeRandomSpare((bound) => random() % bound));
      writeFileSync(path('new'), '');
      truncateSync(path('new'), 2 << 20);
      const options = { spare: path('old'), main: path('main'), to: path('new') };
      const plan = await planImport(options).catch((error: unknown) => error);
      if (trusted.size === 0) {
        expect(plan, context).toBeInstanceOf(DmRemapError);
        continue;
      }
      await importSpare(options);
      await compare(trusted, context);
    }
  });
});
