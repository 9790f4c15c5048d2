import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type ExampleRemap,
  sampleImage,
  type V4Example,
  writeEarlyPages,
  writeExampleData,
  writeScriptRecords,
  writeV3Record,
  writeV4Copies,
} from '../format/import/testing/module-image.js';
import { OfflineSession } from '../runtime/offline-session.js';
import { DmRemapError } from './errors.js';
import { formatSpares } from './format-spares.js';
import { importSpare, planImport } from './import-spare.js';
import type { ImportOptions } from './import-types.js';
import { inspectModuleSpare } from './inspect-module-spare.js';
import { inspectSpares } from './inspect-spares.js';

const MAIN_SECTORS = 204800;
const SPARE_SECTORS = 10240;
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dmr-import-'));
  for (const [name, sizeBytes] of [
    ['main', MAIN_SECTORS * 512],
    ['new', 4 << 20],
  ] as const) {
    writeFileSync(path(name), '');
    truncateSync(path(name), sizeBytes);
  }
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

function path(name: string): string {
  return join(directory, name);
}

function options(more: Partial<ImportOptions> = {}): ImportOptions {
  return { spare: path('old'), main: path('main'), to: path('new'), ...more };
}

const A = { main: 1000, spare: 5000 };
const B = { main: 1001, spare: 5001 };
const C = { main: 77777, spare: 5002 };

/** A module's spare with these copies, and the data of all remaps that lie behind the metadata. */
function writeOldSpare(...copies: readonly (readonly [readonly ExampleRemap[], number[], number?])[]): void {
  const image = new Uint8Array(SPARE_SECTORS * 512);
  for (const [remaps, indexes, sequence = 4] of copies) {
    const example: V4Example = {
      sequence,
      mainSectors: MAIN_SECTORS,
      spareSectors: SPARE_SECTORS,
      remaps,
    };
    writeExampleData(
      image,
      remaps.filter(({ spare }) => spare >= 1280 && spare < SPARE_SECTORS),
    );
    writeV4Copies(image, example, indexes);
  }
  writeFileSync(path('old'), image);
}

const ALL = [0, 1, 2, 3, 4];

async function failureOf(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof DmRemapError)) throw new Error(`not a DmRemapError: ${String(error)}`);
  return `${error.failure}: ${error.message.replaceAll(`${directory}/`, '')}`;
}

describe('planning an import', () => {
  it('says what is imported and what not, and writes nothing', async () => {
    const bad = [
      { main: 300, spare: 12 },
      { main: MAIN_SECTORS, spare: 5010 },
      { main: 301, spare: SPARE_SECTORS },
      { main: 302, spare: 5011 },
      { main: 302, spare: 5012 },
    ];
    writeOldSpare([[C, A, ...bad], ALL]);
    const before = readFileSync(path('old'));
    const plan = await planImport(options());
    expect(plan.imported.map(({ mainSector }) => mainSector)).toEqual([1000, 77777]);
    expect(plan.leftOut.map(({ mainSector, doubts }) => [mainSector, ...doubts])).toEqual([
      [300, 'spareInMetadata'],
      [MAIN_SECTORS, 'mainOutOfRange'],
      [301, 'spareOutOfRange'],
      [302, 'repeatedMain'],
      [302, 'repeatedMain'],
    ]);
    expect(plan).toMatchObject({ layout: 'v4.2', unitCount: 2, target: { unitBytes: 4096 } });
    expect(Buffer.compare(readFileSync(path('old')), before)).toBe(0);
    expect(readFileSync(path('new')).every((byte) => byte === 0)).toBe(true);
  });

  it('leaves out what copies disagree about, unless that is asked for', async () => {
    writeOldSpare([[A, B], [0, 1], 5], [[A], [2, 3, 4], 4]);
    expect((await planImport(options())).imported).toHaveLength(1);
    expect((await planImport(options())).leftOut).toMatchObject([
      { mainSector: 1001, copies: [0, 1], doubts: ['copiesDisagree'] },
    ]);
    expect((await planImport(options({ includeDisputed: true }))).imported).toHaveLength(2);
  });

  it('refuses a record of whose copies some are of another main device, unless forced', async () => {
    writeOldSpare([[A], ALL]);
    const image = readFileSync(path('old'));
    const other = { sequence: 1, mainSectors: MAIN_SECTORS * 2, spareSectors: SPARE_SECTORS, remaps: [A] };
    writeV4Copies(image, other, [3]);
    writeFileSync(path('old'), image);
    expect((await inspectModuleSpare({ spare: path('old') })).notes).toContainEqual(
      expect.stringContaining('different sizes (204800, 409600 sectors)'),
    );
    expect(await failureOf(planImport(options()))).toContain('refused: main: may be the wrong one');
    expect((await planImport(options({ force: true }))).imported).toHaveLength(1);
  });

  it('counts the copies that are not used, also where all are dated in the future', async () => {
    const image = new Uint8Array(SPARE_SECTORS * 512);
    const sizes = { mainSectors: MAIN_SECTORS, spareSectors: SPARE_SECTORS };
    writeV4Copies(image, { sequence: 1, timeSeconds: 2 ** 40, ...sizes, remaps: [A] }, [0, 1, 2]);
    writeFileSync(path('old'), image);
    const { notes } = await inspectModuleSpare({ spare: path('old') });
    expect(notes.filter((note) => note.includes('not used'))).toEqual([
      '2 of 5 copies of the record are not used; see their states',
    ]);
  });

  it('does not import two places for one sector, whatever is asked for', async () => {
    writeOldSpare(
      [
        [A, B],
        [0, 1],
      ],
      [[{ main: 1000, spare: 6000 }, B], [2]],
    );
    const plan = await planImport(options({ includeDisputed: true }));
    expect(plan.imported.map(({ mainSector }) => mainSector)).toEqual([1001]);
  });

  it.each([
    ['a record without remaps', () => writeOldSpare([[], ALL]), 'metadata: old: its record has no remaps'],
    [
      'remaps that can not be trusted',
      () => writeOldSpare([[{ main: 5, spare: 0 }], ALL]),
      'refused: old: none of its 1 remaps can be trusted',
    ],
    [
      'pages of versions 4.0 and 4.1',
      () => {
        const image = new Uint8Array(SPARE_SECTORS * 512);
        writeEarlyPages(image);
        writeFileSync(path('old'), image);
      },
      'metadata: old: holds pages of version 4.0 or 4.1',
    ],
    [
      'the record of the shell tool',
      () => {
        const image = new Uint8Array(SPARE_SECTORS * 512);
        writeScriptRecords(image);
        writeFileSync(path('old'), image);
      },
      "metadata: old: holds the record of the module's shell tool dm-remap-write-metadata, which names a pair of devices (/dev/loop17 and /dev/loop18)",
    ],
    ['nothing', () => writeFileSync(path('old'), new Uint8Array(1 << 20)), 'metadata: old: holds no record'],
    ['one sector', () => writeFileSync(path('old'), new Uint8Array(512)), 'metadata: old: holds no record'],
  ])('refuses %s', async (_, write, message) => {
    write();
    expect(await failureOf(planImport(options()))).toContain(message);
  });

  it('refuses a main device of another size, a used new spare, and devices given twice', async () => {
    writeOldSpare([[A], ALL]);
    truncateSync(path('main'), (MAIN_SECTORS - 8) * 512);
    expect(await failureOf(planImport(options()))).toMatch(/^refused: main: has 204792 sectors, .*--force/);
    expect((await planImport(options({ force: true }))).imported).toHaveLength(1);
    truncateSync(path('main'), MAIN_SECTORS * 512);
    await formatSpares({ main: path('main'), spares: [path('new')] });
    expect(await failureOf(planImport(options()))).toMatch(/^refused: new: holds dm-remap metadata/);
    expect(await failureOf(planImport(options({ to: path('old') })))).toMatch(/^usage: old: given twice/);
    expect(await failureOf(planImport(options({ to: path('main') })))).toMatch(/^usage: main: given twice/);
  });

  it('refuses an old spare that has become a spare of a set since, unless forced, and the list says so', async () => {
    writeOldSpare([[A], ALL]);
    const { setId } = await formatSpares({ main: path('main'), spares: [path('old')], force: true });
    const { isUsable, otherUse, notes } = await inspectModuleSpare({ spare: path('old') });
    expect({ isUsable, otherUse }).toEqual({
      isUsable: true,
      otherUse: `metadata of dm-remap (set ${setId})`,
    });
    expect(notes.join()).toContain(`it holds metadata of dm-remap (set ${setId}) as well`);
    expect(await failureOf(planImport(options()))).toMatch(
      /^refused: old: it holds .*; if the module has used it last, use --force$/,
    );
    expect((await planImport(options({ force: true }))).imported).toHaveLength(1);
  });

  it('knows such a spare by its text note, too, and one that the module has used since is not told from it', async () => {
    writeFileSync(path('old'), new Uint8Array(SPARE_SECTORS * 512));
    const { setId } = await formatSpares({ main: path('main'), spares: [path('old')] });
    const image = readFileSync(path('old'));
    for (let zone = 0; zone < 8; zone += 1)
      image.fill(0, zone * (image.length / 8), zone * (image.length / 8) + 8192);
    writeV4Copies(image, {
      sequence: 1,
      mainSectors: MAIN_SECTORS,
      spareSectors: SPARE_SECTORS,
      remaps: [A],
    });
    writeFileSync(path('old'), image);
    expect((await inspectModuleSpare({ spare: path('old') })).otherUse).toBe(
      `metadata of dm-remap (set ${setId})`,
    );
  });

  it('refuses an old spare on which a file system was made, and not one on which there was one before', async () => {
    writeOldSpare([[A], ALL]);
    const image = readFileSync(path('old'));
    image.writeUInt16LE(0xef53, 1024 + 56);
    image.writeUInt32LE(2560, 1024 + 4);
    image.writeUInt32LE(1, 1024 + 76);
    writeFileSync(path('old'), image);
    expect(await failureOf(planImport(options()))).toMatch(
      /^refused: old: it holds ext.* as well: .*--force$/,
    );
    expect((await planImport(options({ force: true }))).imported).toHaveLength(1);
    writeOldSpare([[A], ALL]);
    const before = readFileSync(path('old'));
    before.write('LABELONE', 128 << 10);
    before.write('EFI PART', before.length - 512);
    writeFileSync(path('old'), before);
    expect((await planImport(options())).imported).toHaveLength(1);
  });

  it('refuses a new spare that is too small', async () => {
    writeOldSpare([Array.from({ length: 300 }, (_, nth) => ({ main: nth * 8, spare: 5000 + nth })), ALL]);
    truncateSync(path('new'), 1 << 20);
    expect(await failureOf(planImport(options()))).toMatch(/^usage: new: too small: 300 units are needed/);
  });
});

describe('an import', () => {
  it('makes a set with the remaps, and a second one is refused', async () => {
    writeOldSpare([[A, B, C], ALL]);
    const before = readFileSync(path('old'));
    const result = await importSpare(options());
    expect(result).toMatchObject({ unitCount: 2, lostOnSpare: [], lostOnMain: [] });
    const report = await inspectSpares([path('new')]);
    expect(report.remaps).toMatchObject([
      { mainSector: 1000, sectorCount: 8, reason: 'imported', lostSectors: [] },
      { mainSector: 77776, sectorCount: 8, reason: 'imported', lostSectors: [] },
    ]);
    expect(report.copies.every(({ superblock, badPages }) => superblock === 'good' && badPages === 0)).toBe(
      true,
    );
    expect(report.setId).toBe(result.target.setId);
    expect(Buffer.compare(readFileSync(path('old')), before)).toBe(0);
    expect(await failureOf(importSpare(options()))).toMatch(/^refused: new:/);
  });

  it('is refused when the spare says something else than in the plan that was agreed to', async () => {
    writeOldSpare([[A, B], ALL]);
    const plan = await planImport(options());
    writeOldSpare([[A, C], ALL]);
    expect(await failureOf(importSpare(options(), { agreed: plan }))).toMatch(
      /^refused: old: reads differently/,
    );
    expect(readFileSync(path('new')).every((byte) => byte === 0)).toBe(true);
  });

  it('is refused while somebody else holds one of the devices', async () => {
    writeOldSpare([[A], ALL]);
    for (const name of ['main', 'old', 'new']) {
      const held = OfflineSession.open([{ path: path(name), readOnly: true, exclusive: true }]);
      if (!held.ok) throw new Error(held.error.message);
      expect(await failureOf(importSpare(options()))).toMatch(new RegExp(`^device: ${name}: `));
      held.value.close();
    }
    expect((await importSpare(options())).unitCount).toBe(1);
  });

  it('takes over a whole table of 2048 remaps', async () => {
    const remaps = Array.from({ length: 2048 }, (_, nth) => ({ main: nth * 99, spare: 1280 + nth * 4 }));
    writeOldSpare([remaps, ALL]);
    truncateSync(path('new'), 12 << 20);
    const { unitCount } = await importSpare(options());
    const report = await inspectSpares([path('new')]);
    expect(report.remaps).toHaveLength(unitCount);
    const image = readFileSync(path('new'));
    for (const { mainSector, spareSector } of report.remaps) {
      for (const { main } of remaps.filter((remap) => remap.main - (remap.main % 8) === mainSector)) {
        const text = `SPARE-DATA-FOR-MAIN-SECTOR-${main}\0`;
        const at = (spareSector + main - mainSector) * 512;
        expect(image.toString('latin1', at, at + text.length)).toBe(text);
      }
    }
  });
});

describe('looking at the spare of the module', () => {
  it('needs no main device, and judges by the recorded sizes', async () => {
    writeFileSync(path('old'), sampleImage('v4'));
    const report = await inspectModuleSpare({ spare: path('old') });
    expect(report).toMatchObject({ layout: 'v4.2', isUsable: true, main: null });
    expect(report.recorded).toEqual({
      mainSectors: 204800,
      spareSectors: 8192,
      timeSeconds: 1_761_609_600,
      sequence: 4,
    });
    expect(report.remaps.map(({ doubts }) => doubts)).toEqual([[], [], []]);
  });

  it('judges by the sizes that are there: a cut image has lost its data', async () => {
    writeFileSync(path('old'), sampleImage('v4').subarray(0, 5001 * 512 + 511));
    const report = await inspectModuleSpare({ spare: path('old'), main: path('main') });
    expect(report.remaps.map(({ doubts }) => doubts)).toEqual([[], ['spareOutOfRange'], ['spareOutOfRange']]);
    expect(report.notes.join()).toContain('the recorded spare has 8192 sectors, this one 5001');
  });

  it('trusts nothing on a record of larger sectors', async () => {
    const image = new Uint8Array(SPARE_SECTORS * 512);
    const sizes = { mainSectors: MAIN_SECTORS, spareSectors: SPARE_SECTORS, sectorBytes: 4096 };
    writeV4Copies(image, { sequence: 1, ...sizes, remaps: [A] });
    writeFileSync(path('old'), image);
    const report = await inspectModuleSpare({ spare: path('old') });
    expect(report.remaps.map(({ doubts }) => doubts)).toEqual([['largeSectors']]);
  });

  it('gives numbers that no disk has as null', async () => {
    const image = new Uint8Array(128 << 10);
    writeV3Record(image, { mainSectors: MAIN_SECTORS, spareSectors: 256, remaps: [A] });
    image.fill(0xff, 4096, 4104);
    writeFileSync(path('old'), image);
    const report = await inspectModuleSpare({ spare: path('old') });
    expect(report.remaps).toMatchObject([{ mainSector: null, spareSector: 5000 }]);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });
});
