import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inspectSpares, openDevice } from '../../dist/library/index.js';
import { sampleImage, writeV4Copies } from '../../src/format/import/testing/module-image.js';
import { dmremapProgram } from '../support/dmremap-program.js';

const MAIN_SECTORS = 204800;
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dmr-import-'));
  writeFileSync(path('old.img'), sampleImage('v4'));
  const main = Buffer.alloc(MAIN_SECTORS * 512);
  for (let sector = 0; sector < MAIN_SECTORS; sector += 1) main.write(`MAIN-${sector}`, sector * 512);
  writeFileSync(path('main.img'), main);
  writeFileSync(path('new.img'), '');
  truncateSync(path('new.img'), 8 << 20);
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

function path(name: string): string {
  return join(directory, name);
}

function dmremap(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [dmremapProgram(), ...args], { encoding: 'utf8', timeout: 60_000 });
}

function importArgs(...more: readonly string[]): string[] {
  return ['import', path('old.img'), '--main', path('main.img'), '--to', path('new.img'), ...more];
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1').replace(/\0.*/s, '');
}

describe('a spare of the kernel module', () => {
  it('is taken over: moved sectors read as on the old spare, all others as on the main device', async () => {
    const imported = dmremap(...importArgs('--yes', '--json'));
    expect(imported.stderr).toBe('');
    expect(imported.status).toBe(0);
    const { target, unitCount } = JSON.parse(imported.stdout) as {
      target: { setId: string };
      unitCount: number;
    };
    expect(unitCount).toBe(3);
    const mainBefore = readFileSync(path('main.img'));
    // The sectors that the module has moved can't be read from the main device any more.
    writeFileSync(
      path('faults.yaml'),
      'main:\n  - { sectors: "1000,2048,77777", on: [read], error: ENODATA }\n',
    );
    const device = await openDevice({
      main: path('main.img'),
      spares: [path('new.img')],
      faults: path('faults.yaml'),
    });
    try {
      const moved = [1000, 2048, 77777];
      for (const first of [992, 1000, 2040, 2048, 77776, 77768]) {
        const read = await device.read(first * 512, 16 * 512);
        for (let nth = 0; nth < 16; nth += 1) {
          const sector = first + nth;
          const origin = moved.includes(sector) ? 'SPARE-DATA-FOR-MAIN-SECTOR' : 'MAIN';
          expect(textOf(read.subarray(nth * 512, (nth + 1) * 512))).toBe(`${origin}-${sector}`);
        }
      }
      await device.write(1000 * 512, new Uint8Array(512).fill(0x21), { durable: true });
      expect((await device.read(1000 * 512, 512)).every((byte) => byte === 0x21)).toBe(true);
    } finally {
      await device.close();
    }
    const report = await inspectSpares([path('new.img')]);
    expect(report.setId).toBe(target.setId);
    expect(report.remaps.map(({ mainSector, reason }) => [mainSector, reason])).toEqual([
      [1000, 'imported'],
      [2048, 'imported'],
      [77776, 'imported'],
    ]);
    expect(Buffer.compare(readFileSync(path('main.img')), mainBefore)).toBe(0);
    expect(Buffer.compare(readFileSync(path('old.img')), sampleImage('v4'))).toBe(0);
  });

  it('is listed, refused where nothing can be imported, and not imported without consent', () => {
    const listed = dmremap('import', path('old.img'), '--list');
    expect(listed.status).toBe(0);
    expect(listed.stdout).toMatch(/^ +77777 +5002 +pending +yes$/m);
    const unasked = dmremap(...importArgs());
    expect([unasked.status, unasked.stderr]).toEqual([2, expect.stringContaining('--yes')]);
    expect(dmremap('import', path('new.img'), '--list').status).toBe(5);
    const image = sampleImage('v4');
    for (let copy = 0; copy < 5; copy += 1) image[copy * 0x20000 + 0x138]! ^= 1;
    writeFileSync(path('old.img'), image);
    const damaged = dmremap(...importArgs('--yes'));
    expect([damaged.status, damaged.stderr]).toEqual([5, expect.stringContaining('none of its five copies')]);
    const remaps = [{ main: 5, spare: 0 }];
    writeV4Copies(image, { sequence: 9, mainSectors: MAIN_SECTORS, spareSectors: 8192, remaps });
    writeFileSync(path('old.img'), image);
    expect(dmremap(...importArgs('--yes')).status).toBe(4);
    expect(readFileSync(path('new.img')).every((byte) => byte === 0)).toBe(true);
  });
});
