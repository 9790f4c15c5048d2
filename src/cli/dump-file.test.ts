import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DUMP_START } from '../device/set-dump.js';
import { readDumpFile, writeDumpFile } from './dump-file.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dmr-dump-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function path(name: string): string {
  return join(directory, name);
}

const TEXT = `${DUMP_START} and so on\n`;

describe('the file of a dump', () => {
  it('is written, and replaces an empty file or an earlier dump, also behind a link', async () => {
    await writeDumpFile(path('new'), [TEXT]);
    writeFileSync(path('empty'), '');
    await writeDumpFile(path('empty'), [TEXT, TEXT]);
    symlinkSync(path('new'), path('link'));
    await writeDumpFile(path('link'), [TEXT, TEXT]);
    for (const name of ['empty', 'new', 'link']) expect(readDumpFile(path(name))).toBe(TEXT + TEXT);
    expect(readdirSync(directory).sort()).toEqual(['empty', 'link', 'new']);
  });

  it('never replaces anything else, such as the image that it was read from', async () => {
    writeFileSync(path('spare.img'), 'DMREMAP and much more than that');
    mkdirSync(path('folder'));
    for (const name of [path('spare.img'), path('folder'), '/dev/null'])
      await expect(writeDumpFile(name, [TEXT])).rejects.toMatchObject({ failure: 'refused' });
    expect(readFileSync(path('spare.img'), 'utf8')).toContain('much more');
    expect(existsSync('/dev/null')).toBe(true);
  });

  it('that can not be written leaves nothing behind', async () => {
    const broken = (function* () {
      yield TEXT;
      throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    })();
    const failure = { failure: 'io', message: expect.stringContaining('ENOSPC') };
    await expect(writeDumpFile(path('file'), broken)).rejects.toMatchObject(failure);
    symlinkSync('loop', path('loop'));
    for (const [name, reason] of [
      ['none/file', 'folder does not exist'],
      ['loop', 'circle'],
      ['loop/file', 'circle'],
      ['x'.repeat(300), 'too long'],
    ] as const) {
      const misplaced = { failure: 'device', message: expect.stringContaining(reason) };
      await expect(writeDumpFile(path(name), [TEXT])).rejects.toMatchObject(misplaced);
    }
    expect(readdirSync(directory)).toEqual(['loop']);
  });

  it('is refused where it is no text, or has no end', () => {
    writeFileSync(path('latin1'), Buffer.from([0x6e, 0xe4]));
    for (const name of [path('latin1'), path('missing'), directory, '/dev/zero'])
      expect(() => readDumpFile(name)).toThrow(expect.objectContaining({ failure: 'usage' }));
  });

  it('may begin with the mark that some editors put there', () => {
    writeFileSync(path('bom'), `\ufeff${TEXT}`);
    expect(readDumpFile(path('bom'))).toBe(TEXT);
  });
});
