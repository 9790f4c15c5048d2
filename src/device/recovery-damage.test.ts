import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { xorshift } from '../../test/support/xorshift.js';
import { crc32 } from '../base/crc32.js';
import { pageOffsetBytes, regionBytes } from '../format/layout.js';
import { magicOf, seal } from '../format/sealed-block.js';
import { type Superblock, slotOf } from '../format/superblock.js';
import { COPY, copyAt, HEAD, SPARE, spareAt } from '../format/superblock-fields.js';
import { planRepair } from './repair-set.js';
import { entriesOf, replaceMap } from './replace-map.js';
import { formatDump } from './set-dump.js';
import { type SetSurvey, stateOf } from './survey-set.js';
import { dumpOf } from './testing/dump-of.js';
import { ImageRunner } from './testing/image-runner.js';
import { numberedDevice } from './testing/numbered-device.js';
import { parsedDump } from './testing/parsed-dump.js';
import { withoutCleanMark } from './without-clean-mark.js';

/**
 * A small set with a history, and its metadata damaged in every way that one can list. Whatever is made of it was really
 * committed once; with one copy left alone it is the newest; and there is always a report. All of it takes minutes and is
 * done with `npm run test:exhaustive` (half an hour); else a sample, whose seed is in the titles.
 */
const IS_EXHAUSTIVE = process.env.DM_REMAP_EXHAUSTIVE === '1';
const SEED = Number(process.env.DM_REMAP_SEED ?? Date.now() % 2 ** 31) || 1;
const HOW_MANY = IS_EXHAUSTIVE ? 'all' : `a sample, DM_REMAP_SEED=${SEED}`;
const random = xorshift(SEED);

const runner = new ImageRunner();
const history = makeHistory();

interface History {
  readonly superblock: Superblock;
  /** After each commit, the first being that of formatting. */
  readonly images: readonly Uint8Array[];
  /** The maps that were committed, as text. */
  readonly maps: ReadonlySet<string>;
  readonly newest: string;
}

/** One spare of 1 MiB with two copies of one page: moves, a lost block, a restart, and a map replaced as a whole. */
function makeHistory(): History {
  const { rig, client } = numberedDevice({
    mainBytes: 1 << 20,
    spareBytes: [1 << 20],
    unitBytes: 16_384,
    copies: 2,
    faults: 'main:\n  - { sectors: "0-159,323", on: [read, write], error: ENODATA }',
  });
  const images: Uint8Array[] = [];
  const maps = new Set<string>();
  const note = (): void => {
    images.push(rig.disks[1]!.contents.slice());
    maps.add(mapOf(runner.survey([images.at(-1)!])));
  };
  note();
  rig.open();
  note();
  for (const unit of [0, 1, 2]) {
    client.write(unit * 32, 32, 5000 + unit);
    note();
  }
  client.read(323, 1);
  note();
  rig.close();
  note();
  const { set } = rig.survey();
  const text = dumpOf(rig).replace(/^remap main=0 .*\n/m, '');
  rig.writeOffline(set!, (work) => withoutCleanMark(work, replaceMap(work, parsedDump(text).entries, {})));
  note();
  const { superblock } = rig.survey().set!.choice;
  return { superblock, images, maps, newest: [...maps].at(-1)! };
}

/** The map alone; '' where there is none that may be used. */
function mapOf(survey: SetSurvey): string {
  const { set } = survey;
  if (set === undefined || stateOf(survey) === 'unusable') return '';
  const { superblock } = set.choice;
  const source = { superblock, entries: entriesOf(set.table, superblock.spares), lostPages: [] };
  return (
    [...formatDump(source)]
      .join('')
      .split('\n')
      .filter((line) => /^(remap|retired)/.test(line))
      .join('\n') || 'empty'
  );
}

const IMAGE = history.images.at(-1)!;
/** Where the metadata is: both copies, without the text notes. */
const BLOCKS = history.superblock.copies.flatMap((copy, copyIndex) =>
  Array.from({ length: regionBytes(1) / 4096 }, (_, nth) => nth)
    .filter((nth) => nth < 2 || nth > 3)
    .map((nth) => ({ copyIndex, block: copy.offsetBytes / 4096 + nth, isSuperblock: nth < 2 })),
);

function blockOf(image: Uint8Array, block: number): Uint8Array {
  return image.subarray(block * 4096, (block + 1) * 4096);
}

function withBlocks(blocks: readonly (readonly [block: number, contents: Uint8Array])[]): Uint8Array {
  const image = IMAGE.slice();
  for (const [block, contents] of blocks) blockOf(image, block).set(contents);
  return image;
}

/** Only one copy was damaged: nothing is lost, and where it matters it is told. */
function expectNewest(image: Uint8Array, title: string): void {
  const survey = runner.survey([image]);
  if (mapOf(survey) !== history.newest || stateOf(survey) === 'unusable')
    expect(mapOf(survey), title).toBe(history.newest);
  if (stateOf(survey) === 'clean' && !isHarmless(image)) expect(stateOf(survey), title).toBe('damaged');
}

/** All current versions are as they were, and beside them is nothing that claims to be a version. */
function isHarmless(image: Uint8Array): boolean {
  return BLOCKS.every(({ block, isSuperblock }) => {
    const [was, is] = [blockOf(IMAGE, block), blockOf(image, block)];
    if (crc32(was) === crc32(is)) return true;
    const magic = magicOf(isSuperblock ? 'DMREMAP' : 'DMRPAGE');
    const hasMagic = magic.every((byte, at) => is[at] === byte);
    return !isCurrent(block) && (!hasMagic || isOlderVersion(block, is));
  });
}

function isCurrent(block: number): boolean {
  const { copies, sequence } = history.superblock;
  return copies.some((copy) => {
    if (block === copy.offsetBytes / 4096 + slotOf(sequence)) return true;
    const slots = [0, 1].map((slot) => pageOffsetBytes(copy, 0, slot));
    const [a, b] = slots.map((at) => new DataView(IMAGE.buffer, IMAGE.byteOffset + at).getUint32(40, true));
    return block === slots[a! > b! ? 0 : 1]! / 4096;
  });
}

function isOlderVersion(block: number, contents: Uint8Array): boolean {
  return history.images.some((image) => crc32(blockOf(image, block)) === crc32(contents));
}

describe('metadata of which one copy is damaged', () => {
  it(`says the newest map with any byte changed (${HOW_MANY})`, () => {
    for (const { block } of BLOCKS) {
      const image = IMAGE.slice();
      const bytes = blockOf(image, block);
      for (let at = 0; at < 4096; at += IS_EXHAUSTIVE ? 1 : 1 + (random() % 250)) {
        const was = bytes[at]!;
        bytes[at] = was ^ (1 << (random() % 8));
        expectNewest(image, `byte ${at} of block ${block}`);
        bytes[at] = was;
      }
    }
  });

  it('says the newest map with any block zeroed, overwritten, unreadable, older, or another one', () => {
    const zeroes = new Uint8Array(4096);
    for (const { block, copyIndex } of BLOCKS) {
      expectNewest(withBlocks([[block, zeroes]]), `block ${block} zeroed`);
      expectNewest(withBlocks([[block, zeroes.slice().fill(0xa5)]]), `block ${block} overwritten`);
      for (const [nth, image] of history.images.entries())
        expectNewest(withBlocks([[block, blockOf(image, block)]]), `block ${block} as after commit ${nth}`);
      for (const other of BLOCKS)
        expectNewest(withBlocks([[block, blockOf(IMAGE, other.block)]]), `block ${block} is ${other.block}`);
      const survey = runner.survey([IMAGE], (_, at) => at === block);
      expect(mapOf(survey), `block ${block} unreadable`).toBe(history.newest);
      expect(stateOf(survey)).toBe('damaged');
      expect(survey.set!.findings).toContainEqual(
        expect.objectContaining({ copyIndex, state: 'unreadable' }),
      );
    }
  });
});

describe('metadata that is damaged in two places', () => {
  /** What each block may turn into. */
  function damages(block: number): Uint8Array[] {
    const older = history.images.map((image) => blockOf(image, block));
    const others = BLOCKS.map((other) => blockOf(IMAGE, other.block));
    const torn = blockOf(IMAGE, block).slice();
    torn.set(blockOf(history.images[2]!, block).subarray(0, 512));
    return [new Uint8Array(4096), new Uint8Array(4096).fill(0x5a), torn, ...older, ...others];
  }

  it(`never says a map that was not committed, and finds nothing rather than that (${HOW_MANY})`, () => {
    const all = BLOCKS.map(({ block }) => damages(block));
    for (const [nth, one] of BLOCKS.entries()) {
      for (const [mth, other] of BLOCKS.entries()) {
        if (mth <= nth) continue;
        for (const first of all[nth]!) {
          for (const second of all[mth]!) {
            if (!IS_EXHAUSTIVE && random() % 32 !== 0) continue;
            const map = mapOf(
              runner.survey([
                withBlocks([
                  [one.block, first],
                  [other.block, second],
                ]),
              ]),
            );
            if (map !== '' && !history.maps.has(map))
              expect(map, `blocks ${one.block} and ${other.block}`).toBe('');
          }
        }
      }
    }
  });

  it(`nor does one of which every block is one of its versions, or torn (a sample, DM_REMAP_SEED=${SEED})`, () => {
    const all = BLOCKS.map(({ block }) => damages(block));
    for (let nth = 0; nth < (IS_EXHAUSTIVE ? 20_000 : 400); nth += 1) {
      const image = withBlocks(
        BLOCKS.map(({ block }, at) => [block, all[at]![random() % all[at]!.length]!] as const),
      );
      const map = mapOf(runner.survey([image]));
      if (map !== '' && !history.maps.has(map)) expect(map, `image ${nth}`).toBe('');
    }
  });
});

describe('images that nobody of us wrote', () => {
  /** Fields of a superblock, and of a page, to put arbitrary numbers in. */
  const superblockFields = [
    ...Object.values(HEAD).map(({ offset }) => offset),
    ...Object.values(SPARE).map(({ offset }) => spareAt(0) + offset),
    ...Object.values(COPY).flatMap(({ offset }) => [copyAt(0) + offset, copyAt(1) + offset]),
  ];
  const pageFields = [
    12,
    14,
    16,
    32,
    40,
    48,
    64,
    72,
    88,
    91,
    64 + 32 * 10,
    64 + 32 * 40 + 8,
    64 + 32 * 40 + 27,
  ];
  const value = fc.oneof(
    fc.constantFrom(
      0n,
      1n,
      2n,
      0x7fff_ffffn,
      0xffff_ffffn,
      2n ** 53n - 1n,
      2n ** 53n,
      2n ** 64n - 1n,
      2n ** 52n,
    ),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  );
  const change = fc.record({
    block: fc.nat({ max: BLOCKS.length - 1 }),
    field: fc.nat(),
    value,
    isSealed: fc.boolean(),
  });

  function look(image: Uint8Array): void {
    const survey = runner.survey([image]);
    const map = mapOf(survey);
    if (map === '' || survey.set === undefined) return;
    expect(() => planRepair(survey.set!)).not.toThrow();
    expect(map.length).toBeLessThan(100_000);
  }

  it('with any fields changed and sealed again are looked at without harm', () => {
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const image = IMAGE.slice();
        for (const { block: nth, field, value: put, isSealed } of changes) {
          const { block, isSuperblock } = BLOCKS[nth]!;
          const bytes = blockOf(image, block);
          const fields = isSuperblock ? superblockFields : pageFields;
          new DataView(image.buffer).setBigUint64(block * 4096 + fields[field % fields.length]!, put, true);
          if (isSealed) seal(bytes);
        }
        look(image);
      }),
      { numRuns: IS_EXHAUSTIVE ? 10_000 : 400 },
    );
  });

  it('of arbitrary bytes, whole or in part, are looked at without harm', () => {
    const piece = fc.record({
      at: fc.nat({ max: IMAGE.length - 1 }),
      bytes: fc.uint8Array({ maxLength: 5000 }),
    });
    fc.assert(
      fc.property(fc.boolean(), fc.array(piece, { maxLength: 8 }), (startsEmpty, pieces) => {
        const image = startsEmpty ? new Uint8Array(IMAGE.length) : IMAGE.slice();
        for (const { at, bytes } of pieces) image.set(bytes.subarray(0, image.length - at), at);
        look(image);
      }),
      { numRuns: IS_EXHAUSTIVE ? 20_000 : 300 },
    );
  });

  it('of a main device that is too large to be are refused', () => {
    const image = IMAGE.slice();
    for (const { block } of BLOCKS.filter(({ isSuperblock }) => isSuperblock)) {
      const at = block * 4096 + HEAD.mainSizeBytes.offset;
      new DataView(image.buffer).setBigUint64(at, 2n ** 53n - 4096n, true);
      seal(blockOf(image, block));
    }
    expect(mapOf(runner.survey([image]))).toBe('');
  });
});
