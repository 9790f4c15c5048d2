import {
  closeSync,
  copyFileSync,
  openSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DiskImages } from '../support/disk-images.js';
import { dmremapProgram } from '../support/dmremap-program.js';
import { type ToolOutcome, tryTool } from '../support/run-tool.js';

const MIB = 1 << 20;
let images: DiskImages;
let spare: string;

beforeEach(async () => {
  images = await DiskImages.create({ mainBytes: 8 * MIB, spareBytes: 2 * MIB });
  spare = images.sparePath;
  // A map without a failing disk: as text.
  const dump = (await metadata('dump', spare)).stdout;
  const remaps = ['main=800 spare=0:160', 'main=808 spare=0:168 lost=809-810', 'main=4000 spare=0:176'];
  writeFileSync(images.path('set.txt'), `${dump}${remaps.map((remap) => `remap ${remap}\n`).join('')}`);
  expect(await metadata('restore', images.path('set.txt'), spare, '--yes')).toMatchObject({ status: 0 });
  writeFileSync(images.path('set.txt'), (await metadata('dump', spare)).stdout);
});

afterEach(() => images.remove());

describe('dmremap metadata', () => {
  it('check and copies end with 0, 8 or 5 as the set is, and change nothing', async () => {
    const whole = readFileSync(spare);
    expect(await metadata('check', spare)).toMatchObject({ status: 0 });
    expect((await metadata('copies', spare)).stdout.trim().split('\n')).toHaveLength(6);
    expect(readFileSync(spare).equals(whole)).toBe(true);
    overwrite(0, 40_000);
    const damaged = await metadata('check', spare, '--json');
    expect(damaged.status).toBe(8);
    const report = JSON.parse(damaged.stdout);
    expect(report).toMatchObject({ version: 1, state: 'damaged', problem: null, set: { remappedUnits: 3 } });
    expect(report.copies.map((copy: { state: string }) => copy.state)).toEqual([
      'damaged',
      'good',
      'good',
      'good',
      'good',
    ]);
    expect((await metadata('copies', spare)).status).toBe(8);
    overwrite(0, 2 * MIB);
    expect(await metadata('check', spare)).toMatchObject({
      status: 5,
      stdout: expect.stringContaining('UNUSABLE'),
    });
    expect(await metadata('copies', spare)).toMatchObject({ status: 5 });
  });

  it('repair says what it would do, does nothing with --dry-run, asks, and makes the set whole', async () => {
    overwrite(0, 40_000);
    const before = readFileSync(spare);
    const plan = await metadata('repair', spare, '--dry-run');
    expect(plan).toMatchObject({ status: 8, stderr: expect.stringContaining('superblock to copy 0') });
    expect(await metadata('repair', spare)).toMatchObject({ status: 2 });
    expect(readFileSync(spare).equals(before)).toBe(true);
    expect(await metadata('repair', spare, '--yes')).toMatchObject({ status: 0 });
    expect(await metadata('check', spare)).toMatchObject({ status: 0 });
    expect((await metadata('dump', spare)).stdout).toBe(readFileSync(images.path('set.txt'), 'utf8'));
    expect((await metadata('repair', spare)).stderr).toBe('plan: nothing has to be written\n');
  });

  it('restore brings back a set whose superblocks are gone, and tells mistakes with their lines', async () => {
    for (let zone = 0; zone < 8; zone += 1) overwrite(zone * (MIB / 4), 8192);
    expect(await metadata('restore', images.path('set.txt'), spare)).toMatchObject({ status: 2 });
    expect(await metadata('restore', images.path('set.txt'), spare, '--yes')).toMatchObject({ status: 0 });
    expect((await metadata('dump', spare)).stdout).toBe(readFileSync(images.path('set.txt'), 'utf8'));
    writeFileSync(
      images.path('bad.txt'),
      `${readFileSync(images.path('set.txt'), 'utf8')}remap main=800 spare=0:1\n`,
    );
    const refused = await metadata('restore', images.path('bad.txt'), spare, '--yes');
    expect(refused).toMatchObject({ status: 2 });
    expect(refused.stderr).toMatch(/bad\.txt:20: main=800: line 16 says/);
  });

  it('restore --dry-run writes nothing', async () => {
    const before = readFileSync(spare);
    const file = images.path('set.txt');
    expect(await metadata('restore', file, spare, '--dry-run')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('0 added, 0 removed, 0 changed'),
    });
    const report = JSON.parse((await metadata('restore', file, spare, '--dry-run', '--json')).stdout);
    expect(report).toMatchObject({ version: 1, written: false, mode: 'inPlace' });
    expect(readFileSync(spare).equals(before)).toBe(true);
  });

  it('repair without any superblock points to restore, and --json has the error too', async () => {
    for (let zone = 0; zone < 8; zone += 1) overwrite(zone * (MIB / 4), 8192);
    const outcome = await metadata('repair', spare, '--json');
    expect(outcome.status).toBe(5);
    const { version, error } = JSON.parse(outcome.stdout);
    expect({ version, ...error }).toMatchObject({ version: 1, failure: 'metadata', status: 5 });
    expect(error.message).toMatch(/"dmremap metadata restore [0-9a-f-]{36}_TIME_gN\.txt \S+spare\.img"/);
    expect(outcome.stderr.trim().split('\n')).toHaveLength(1);
  });

  it('repair does not blame a spare that has grown', async () => {
    truncateSync(spare, 3 * MIB);
    expect(await metadata('repair', spare, '--yes')).toMatchObject({
      status: 8,
      stdout: expect.stringContaining('larger than when it was formatted'),
    });
  });

  it('restore takes a spare that proves nothing only with --force', async () => {
    overwrite(0, 2 * MIB, 0);
    const file = images.path('set.txt');
    expect(await metadata('restore', file, spare, '--yes')).toMatchObject({
      status: 4,
      stderr: expect.stringContaining('nothing on it says that it is spare 0'),
    });
    expect(await metadata('restore', file, spare, '--yes', '--force')).toMatchObject({ status: 0 });
    expect(await metadata('check', spare)).toMatchObject({ status: 0 });
  });

  it('restore refuses a spare of another set', async () => {
    const other = await DiskImages.create({ mainBytes: 8 * MIB, spareBytes: 2 * MIB });
    try {
      const outcome = await metadata('restore', images.path('set.txt'), other.sparePath, '--yes');
      expect(outcome).toMatchObject({ status: 4, stderr: expect.stringContaining('is a spare of set') });
    } finally {
      other.remove();
    }
  });

  it('dump --output writes a file that restore takes, and works on a copy of an image', async () => {
    const [copy, file] = [images.path('copy.img'), images.path('dump.txt')];
    copyFileSync(spare, copy);
    expect(await metadata('dump', copy, '--output', file)).toMatchObject({ status: 0, stdout: '' });
    expect(await metadata('restore', file, copy, '--yes', '--json')).toMatchObject({ status: 0 });
    expect(await metadata('check', copy)).toMatchObject({ status: 0 });
  });
});

describe('the text note on a spare', () => {
  it('has a program that prints the table that "export" prints', async ({ skip }) => {
    const python = await tryTool('python3', ['--version']).catch(() => undefined);
    if (python?.status !== 0) skip('needs python3');
    const note = readFileSync(spare).subarray(8192, 16_384).toString('utf8').replaceAll('\0', '');
    expect(note).toContain('Do not format it');
    writeFileSync(images.path('table.py'), note.slice(note.indexOf('#!/usr/bin/env python3')));
    const printed = await tryTool('python3', [images.path('table.py'), 'MAIN', spare]);
    expect(printed.stderr).toBe('');
    const exported = await dmremap('export', spare, '--dm-table', '--main', 'MAIN');
    expect(perSector(printed.stdout)).toEqual(perSector(exported.stdout));
    expect(perSector(printed.stdout)[809]).toBe('error');
    // With only one copy left, too.
    overwrite(0, 100_000);
    overwrite(MIB, MIB);
    const rescued = await tryTool('python3', [images.path('table.py'), 'MAIN', spare]);
    expect(rescued.stdout).toBe(printed.stdout);
  });
});

/** Where each sector comes from. */
function perSector(table: string): string[] {
  return table
    .trim()
    .split('\n')
    .flatMap((line) => {
      const [, count, target, path, offset] = line.split(' ');
      return Array.from({ length: Number(count) }, (_, sector) =>
        target === 'error' ? 'error' : `${path} ${Number(offset) + sector}`,
      );
    });
}

function overwrite(offsetBytes: number, lengthBytes: number, byte = 0xa5): void {
  const fd = openSync(spare, 'r+');
  writeSync(fd, Buffer.alloc(lengthBytes, byte), 0, lengthBytes, offsetBytes);
  closeSync(fd);
}

function metadata(...args: string[]): Promise<ToolOutcome> {
  return dmremap('metadata', ...args);
}

function dmremap(...args: string[]): Promise<ToolOutcome> {
  return tryTool(process.execPath, [dmremapProgram(), ...args]);
}
