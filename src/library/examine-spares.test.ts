import { mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { superblockAnchors } from '../format/layout.js';
import { examineSpares } from './examine-spares.js';
import { formatSpares, planFormat } from './format-spares.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dmr-examine-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

it('A spare whose superblocks are zeroes is not blank while its text note is there: format refuses it', async () => {
  const [main, spare] = [join(directory, 'main'), join(directory, 'spare')];
  for (const path of [main, spare]) {
    writeFileSync(path, '');
    truncateSync(path, 2 << 20);
  }
  const { setId } = await formatSpares({ main, spares: [spare] });
  const bytes = readFileSync(spare);
  for (const anchor of superblockAnchors(bytes.length)) bytes.fill(0, anchor, anchor + 4096);
  writeFileSync(spare, bytes);
  const { spares } = await examineSpares(main, [spare]);
  expect(spares).toMatchObject([{ isBlank: false, set: setId }]);
  await expect(planFormat({ main, spares: [spare] })).rejects.toMatchObject({ failure: 'refused' });
});

it('One of several spares is known as a spare of its set by itself: as main device and as a new spare it is refused', async () => {
  const [main, first, second, other] = ['main', 'first', 'second', 'other'].map((name) => {
    const path = join(directory, name);
    writeFileSync(path, '');
    truncateSync(path, 2 << 20);
    return path;
  }) as [string, string, string, string];
  const { setId } = await formatSpares({ main, spares: [first, second] });
  await expect(planFormat({ main: second, spares: [other] })).rejects.toMatchObject({
    failure: 'refused',
    message: expect.stringContaining(`is a spare of set ${setId}; were main and spare swapped?`),
  });
  await expect(planFormat({ main: other, spares: [first] })).rejects.toMatchObject({
    failure: 'refused',
    message: expect.stringContaining(`holds dm-remap metadata (set ${setId});`),
  });
});

it.each([
  'loop',
  'main/below a file',
  'x'.repeat(300),
])('A path where nothing can be, as %j, is a device that can not be opened, and no mistake of ours', async (name) => {
  const main = join(directory, 'main');
  writeFileSync(main, Buffer.alloc(2 << 20));
  symlinkSync('loop', join(directory, 'loop'));
  const spares = [join(directory, name)];
  await expect(planFormat({ main, spares })).rejects.toMatchObject({ failure: 'device' });
});
