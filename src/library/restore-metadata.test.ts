import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { superblockAnchors } from '../format/layout.js';
import { seal } from '../format/sealed-block.js';
import { dumpMetadata } from './dump-metadata.js';
import { formatSpares } from './format-spares.js';
import { planMetadataRestore, restoreMetadata } from './restore-metadata.js';

const MIB = 1 << 20;
const [SPARE_BYTES, INCOMPAT_AT] = [2 * MIB, 24];
let directory: string;
let spares: readonly string[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dmr-restore-'));
  for (const [name, sizeBytes] of [
    ['main', 8 * MIB],
    ['one', SPARE_BYTES],
    ['other', SPARE_BYTES],
  ] as const) {
    writeFileSync(path(name), '');
    truncateSync(path(name), sizeBytes);
  }
  spares = [path('one'), path('other')];
  await formatSpares({ main: path('main'), spares });
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

function path(name: string): string {
  return join(directory, name);
}

async function dumpedText(): Promise<string> {
  return [...(await dumpMetadata(spares)).pieces].join('');
}

function contents(): Buffer {
  return Buffer.concat(spares.map((spare) => readFileSync(spare)));
}

/** What restoring is refused with, with and without force; nothing may be written. */
async function refusals(text: string): Promise<(string | undefined)[]> {
  const before = contents();
  const answers: (string | undefined)[] = [];
  for (const force of [false, true]) {
    const options = { spares, text, fileName: 'set.txt', force };
    answers.push(
      await planMetadataRestore(options).then(
        () => undefined,
        (error: Error) => error.message,
      ),
    );
  }
  expect(contents().equals(before)).toBe(true);
  return answers;
}

describe('restoring metadata', () => {
  it('tells what changes beside the map: the name, the main device, what a lost block gives', async () => {
    const text = await dumpedText();
    const plan = (changed: string) => planMetadataRestore({ spares, text: changed, fileName: 'set.txt' });
    expect((await plan(text)).fields).toEqual([]);
    const changed = text
      .replace('name=""', 'name="attic"')
      .replace('serial=""', 'serial="OLD-1"')
      .replace('on-lost=error', 'on-lost=zero');
    expect((await plan(changed)).fields).toEqual([
      { field: 'name', before: '', after: 'attic' },
      { field: 'serial', before: '', after: 'OLD-1' },
      { field: 'on-lost', before: 'error', after: 'zero' },
    ]);
  });

  it('is refused on a spare that has become smaller, before anything is written', async () => {
    const text = await dumpedText();
    for (const sizeBytes of [SPARE_BYTES - 512, SPARE_BYTES / 2, 5000]) {
      truncateSync(path('other'), sizeBytes);
      const message = expect.stringContaining(
        `has ${sizeBytes - (sizeBytes % 512)} bytes, spare 1 of the dump`,
      );
      expect(await refusals(text)).toEqual([message, message]);
    }
  });

  it('is refused on two copies of one spare', async () => {
    const text = await dumpedText();
    copyFileSync(path('one'), path('other'));
    const message = expect.stringContaining('one is a copy');
    expect(await refusals(text)).toEqual([message, message]);
  });

  it('is refused where the text contradicts the sizes and places of a set that can be read', async () => {
    const text = await dumpedText();
    const edited = text.replace('unit=4096', 'unit=8192').replace('bytes=8388608', 'bytes=16777216');
    expect(await refusals(edited)).toEqual([expect.stringContaining('(main, map)'), undefined]);
  });

  it('is refused on the spares of a newer version', async () => {
    const text = await dumpedText();
    for (const spare of spares) {
      const bytes = readFileSync(spare);
      for (const anchor of superblockAnchors(SPARE_BYTES)) {
        const block = bytes.subarray(anchor, anchor + 4096);
        block[INCOMPAT_AT] = 2;
        seal(block);
      }
      writeFileSync(spare, bytes);
    }
    expect(await refusals(text)).toEqual([expect.stringContaining('newer dm-remap'), undefined]);
  });

  it('works where a superblock of one spare was misdirected to another, and mends that', async () => {
    const text = await dumpedText();
    const [first, second] = spares.map((spare) => readFileSync(spare));
    const slots = [0, 1].filter(
      (slot) => first!.subarray(slot * 4096, slot * 4096 + 7).toString() === 'DMREMAP',
    );
    expect(slots).toHaveLength(1);
    first!.copy(second!, slots[0]! * 4096, slots[0]! * 4096, (slots[0]! + 1) * 4096);
    writeFileSync(path('other'), second!);
    const options = { spares, text, fileName: 'set.txt' };
    expect((await planMetadataRestore(options)).spares.map(({ knownBy }) => knownBy)).toEqual([
      'superblock',
      'superblock',
    ]);
    await restoreMetadata(options);
    expect(await dumpedText()).toBe(text);
    expect(readFileSync(path('other')).subarray(0, 8192).equals(first!.subarray(0, 8192))).toBe(false);
  });

  it('works with the spares in any order, and gives the same text again', async () => {
    const text = await dumpedText();
    const given = spares.toReversed();
    await restoreMetadata({ spares: given, text, fileName: 'set.txt' });
    expect(await dumpedText()).toBe(text);
  });
});
