import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { crc32 } from '../base/crc32.js';
import { SAMPLE_BYTES, samplePositions } from '../format/fingerprint.js';
import { superblockAnchors, superblockOffsetBytes } from '../format/layout.js';
import { type ContentSample, slotOf } from '../format/superblock.js';
import { type DecodedSuperblock, decodeSuperblock, encodeSuperblock } from '../format/superblock-codec.js';
import { examineDevice } from './examine-spares.js';
import { formatSpares } from './format-spares.js';
import { removeSpare } from './remove-spare.js';
import { scanSets } from './scan-sets.js';
import type { ScannedSet, ScanOptions } from './scan-types.js';

let directory: string;
let setId: string;
const at = (name: string): string => join(directory, name);
const NOWHERE = { list: () => [] };

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dmr-scan-'));
  image('main', 2 << 20, 7);
  image('spare0', 2 << 20);
  image('spare1', 2 << 20);
  const spares = [at('spare0'), at('spare1')];
  ({ setId } = await formatSpares({ main: at('main'), spares, name: 'attic' }));
  for (const spare of ['spare0', 'spare1']) updateSuperblock(spare, 'main');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('a scan', () => {
  it('puts a set together from images in any order, and proves the main device by its contents', async () => {
    const set = await theSet('spare1', 'main', 'spare0');
    expect(set).toMatchObject({ setId, name: 'attic', problems: [] });
    expect(set.main).toMatchObject({ path: at('main'), provedBy: 'contents' });
    expect(set.spares.map(({ path }) => path)).toEqual([at('spare0'), at('spare1')]);
  });

  it('takes two names of one image for one image', async () => {
    symlinkSync(at('spare0'), at('other-name'));
    expect(await problemsOf('main', 'spare0', 'spare1', 'other-name')).toEqual([]);
  });

  it('says which spare is missing, and that the main device is', async () => {
    expect(await problemsOf('main', 'spare1')).toEqual([
      ['spareMissing', true, expect.stringMatching(/^spare 0 is missing: 2097152 bytes, UUID /)],
    ]);
    expect(await problemsOf('spare0', 'spare1')).toEqual([
      ['mainMissing', true, 'the main device is missing: 2097152 bytes'],
    ]);
  });

  it('does not choose between a spare and its copy', async () => {
    copyFileSync(at('spare1'), at('clone'));
    expect(await problemsOf('main', 'spare0', 'spare1', 'clone')).toEqual([
      ['spareSeenTwice', true, expect.stringContaining(`${at('spare1')} at update`)],
    ]);
  });

  it('names the older one of two copies, and a spare that is behind its partners', async () => {
    copyFileSync(at('spare1'), at('clone'));
    for (let update = 0; update < 2; update += 1) updateSuperblock('spare1', 'main');
    const found = await problemsOf('main', 'spare0', 'spare1', 'clone');
    expect(found[0]![2]).toContain(`${at('spare1')} at update 4 and ${at('clone')} at update 2`);
    expect(await problemsOf('main', 'spare0', 'spare1')).toMatchObject([
      ['spareStale', true, expect.stringContaining(`spare 0, ${at('spare0')}`)],
    ]);
  });

  it('knows the right one of two while it is at work, and says so of the other', async () => {
    copyFileSync(at('spare0'), at('clone'));
    const served = [
      { setId, main: at('main'), spares: [at('spare0'), at('spare1')], blockDevices: ['/dev/ublkb7'] },
    ];
    const { sets } = await scan(['clone', 'spare1', 'spare0'], { served });
    expect(sets[0]!.main).toMatchObject({ path: at('main'), provedBy: 'served' });
    expect(sets[0]!.spares[0]!.path).toBe(at('spare0'));
    expect(sets[0]!.problems).toMatchObject([{ id: 'copyVisible', blocks: false }]);
  });

  it('does not choose between a main device and its copy', async () => {
    copyFileSync(at('main'), at('clone'));
    expect(await problemsOf('clone', 'spare0', 'main', 'spare1')).toEqual([
      ['mainSeenTwice', true, expect.stringContaining(`${at('clone')} and ${at('main')}`)],
    ]);
    const { main } = await theSet('clone', 'spare0', 'main', 'spare1');
    expect(main).toMatchObject({ path: null, candidates: [at('clone'), at('main')] });
  });

  it('refuses a named main device that is another disk, and one that was written behind its back', async () => {
    image('other', 2 << 20, 9);
    const mains = { attic: at('other') };
    const other = await scan(['spare0', 'spare1'], { mains });
    expect(other.sets[0]!.problems).toMatchObject([{ id: 'wrongMain', blocks: true }]);
    const bytes = readFileSync(at('main'));
    writeFileSync(at('main'), bytes.fill(1, 0, 4096));
    const changed = await scan(['spare0', 'spare1'], { mains: { [setId]: at('main') } });
    expect(changed.sets[0]!.problems[0]!.message).toMatch(/1 of \d+ sampled blocks differ/);
  });

  it('says what it found where the main device was written behind its back, and where another one took its place', async () => {
    writeFileSync(at('main'), readFileSync(at('main')).fill(1, 0, 4096));
    const found = await theSet('spare0', 'spare1', 'main');
    expect(found.main.path).toBe(at('main'));
    expect(found.problems).toEqual([
      {
        id: 'mainChanged',
        blocks: true,
        message: expect.stringMatching(
          /main looks like the main device by 31 sampled blocks, but 1 of 32 sampled blocks differ from the last clean stop: it was written without/,
        ),
      },
    ]);
    image('other', 2 << 20, 9);
    expect(await problemsOf('spare0', 'spare1', 'other')).toEqual([
      [
        'mainMissing',
        true,
        `the main device is missing: 2097152 bytes; of that size is ${at('other')}: 32 of 32 sampled blocks differ`,
      ],
    ]);
  });

  it('does not take blank devices for the main device because they are alike', async () => {
    image('blank', 4 << 20);
    image('spare', 1 << 20);
    await formatSpares({ main: at('blank'), spares: [at('spare')] });
    updateSuperblock('spare', 'blank');
    const { sets } = await scan(['spare', 'blank']);
    expect(sets[0]!.problems).toMatchObject([{ id: 'mainUnproven', blocks: true }]);
    expect(sets[0]!.main).toMatchObject({ path: at('blank'), provedBy: 'size', candidates: [] });
  });

  it('keeps two sets apart, and names a spare that shrank', async () => {
    image('main2', 3 << 20, 11);
    image('spare2', 2 << 20);
    await formatSpares({ main: at('main2'), spares: [at('spare2')], name: 'cellar' });
    truncateSync(at('spare2'), 1 << 20);
    const { sets } = await scan(['spare2', 'spare0', 'main2', 'main', 'spare1']);
    expect(sets.map(({ name }) => name)).toEqual(['attic', 'cellar']);
    expect(sets[0]!.problems).toEqual([]);
    expect(sets[1]!.problems[0]).toMatchObject({ id: 'spareShrunk', blocks: true });
  });

  it('tells of metadata that belongs to no set any more', async () => {
    const bytes = readFileSync(at('spare0'));
    for (const anchor of superblockAnchors(bytes.length)) bytes.fill(0, anchor, anchor + 4096);
    writeFileSync(at('spare0'), bytes);
    const { sets, doubtful } = await scan(['spare0', 'main']);
    expect(sets).toEqual([]);
    expect(doubtful).toEqual([{ path: at('spare0'), reason: expect.stringContaining(`set ${setId}`) }]);
  });

  it('finds nothing on a spare that was taken out, nor takes for damage what an older version left there', async () => {
    const before = readFileSync(at('spare1'));
    await removeSpare({ spares: [at('spare0'), at('spare1')], device: at('spare1') });
    expect(await scan(['main', 'spare0', 'spare1'])).toMatchObject({ sets: [{ setId }], doubtful: [] });
    expect(await examineDevice(at('spare1'))).toMatchObject({
      set: undefined,
      signature: null,
      isBlank: true,
    });
    const bytes = readFileSync(at('spare1'));
    for (const anchor of superblockAnchors(bytes.length))
      before.copy(bytes, anchor + 8192, anchor + 8192, anchor + 12288);
    writeFileSync(at('spare1'), bytes);
    const { doubtful } = await scan(['main', 'spare0', 'spare1']);
    const reason = `carries the text note of a former spare of set attic (${setId}): the set has no such spare any more`;
    expect(doubtful).toEqual([{ path: at('spare1'), reason }]);
  });

  it('refuses a path where nothing is, and changes nothing', async () => {
    await expect(scan(['nothing'])).rejects.toMatchObject({ failure: 'device' });
    const names = ['main', 'spare0', 'spare1'];
    const before = names.map((name) => readFileSync(at(name)));
    await theSet(...names);
    expect(names.every((name, index) => readFileSync(at(name)).equals(before[index]!))).toBe(true);
  });
});

function scan(names: readonly string[], options: ScanOptions = {}) {
  return scanSets({ ...options, paths: names.map(at) }, NOWHERE);
}

async function theSet(...names: string[]): Promise<ScannedSet> {
  const { sets } = await scan(names);
  expect(sets).toHaveLength(1);
  return sets[0]!;
}

async function problemsOf(...names: string[]) {
  return (await theSet(...names)).problems.map(({ id, blocks, message }) => [id, blocks, message]);
}

/** Contents that tell it from others; a seed of 0: zeroes. */
function image(name: string, sizeBytes: number, seed = 0): void {
  const bytes = Buffer.alloc(sizeBytes);
  for (let block = 0; block < sizeBytes; block += 4096) bytes.writeUInt32LE(block * seed, block);
  bytes[0] = seed;
  writeFileSync(at(name), bytes);
}

/** As an update at a clean stop would. */
function updateSuperblock(spare: string, main: string): void {
  const bytes = new Uint8Array(readFileSync(at(spare)));
  const newest = newestIn(bytes);
  const superblock = {
    ...newest.superblock,
    sequence: newest.superblock.sequence + 1,
    cleanShutdown: true,
    contentSample: sampleOf(readFileSync(at(main))),
  };
  for (const [copyIndex, copy] of superblock.copies.entries()) {
    if (copy.spareIndex !== newest.spareIndex) continue;
    const start = superblockOffsetBytes(copy, slotOf(superblock.sequence));
    encodeSuperblock(bytes.subarray(start, start + 4096), superblock, copyIndex);
  }
  writeFileSync(at(spare), bytes);
}

function newestIn(bytes: Uint8Array): DecodedSuperblock {
  const found = superblockAnchors(bytes.length).flatMap((anchor) => {
    const decoded = decodeSuperblock(bytes.slice(anchor, anchor + 4096));
    return decoded.ok ? [decoded.value] : [];
  });
  return found.reduce((one, other) => (other.superblock.sequence > one.superblock.sequence ? other : one));
}

function sampleOf(main: Uint8Array): ContentSample {
  const crcs = samplePositions(main.length).map((start) => crc32(main.subarray(start, start + SAMPLE_BYTES)));
  return { validMask: 0xffff_ffff, crcs };
}
