import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NOT_EXACT, writeU64 } from '../base/little-endian.js';
import type { CopyPosition } from './copy-position.js';
import { METADATA_PAGE_BYTES } from './layout.js';
import { seal, viewOf } from './sealed-block.js';
import { featuresForMain, KNOWN_FEATURES, type Superblock, slotOf } from './superblock.js';
import { decodeSuperblock, encodeSuperblock } from './superblock-codec.js';
import { copyAt, spareAt } from './superblock-fields.js';
import { exampleSuperblock } from './testing/example-set.js';

function encoded(superblock: Superblock = exampleSuperblock(), copyIndex = 0): Uint8Array {
  const block = new Uint8Array(METADATA_PAGE_BYTES);
  encodeSuperblock(block, superblock, copyIndex);
  return block;
}

/** What a reader says after `change`, the CRC being right again. */
function verdictAfter(change: (view: DataView, block: Uint8Array) => void): string {
  const block = encoded();
  change(viewOf(block), block);
  seal(block);
  const decoded = decodeSuperblock(block);
  return decoded.ok ? 'ok' : decoded.error;
}

const exact = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const countable = fc.integer({ min: 0, max: 2 ** 52 });
const word = fc.integer({ min: 0, max: 0xffff_ffff });
const shortText = fc.string({ unit: fc.constantFrom('a', '0', ' ', 'é', '漢'), maxLength: 20 });
const anySuperblock: fc.Arbitrary<Superblock> = fc
  .record({
    cleanShutdown: fc.boolean(),
    setId: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    sequence: countable,
    generation: countable,
    openCount: word,
    mainSizeBytes: fc.integer({ min: 1, max: 2 ** 40 }).map((blocks) => blocks * 512),
    createdSeconds: exact,
    updatedSeconds: exact,
    name: shortText,
    mainModel: shortText,
    mainSerial: shortText,
    mainWwn: shortText,
    contentSample: fc.record({ validMask: word, crcs: fc.array(word, { minLength: 32, maxLength: 32 }) }),
    onLost: fc.constantFrom(0, 1),
    counters: fc.array(exact, { maxLength: 64 }),
    settings: fc.array(word, { maxLength: 64 }).filter((numbers) => numbers.at(-1) !== 0),
    copyPosition: fc.option(
      fc.record({
        copyId: fc.uint8Array({ minLength: 16, maxLength: 16 }).filter((id) => id.some((byte) => byte !== 0)),
        partBytes: fc.constantFrom(2 ** 37, 2 ** 50),
        settled: fc.uint8Array({ minLength: 1024, maxLength: 1024 }),
      }),
      { nil: undefined },
    ),
  })
  .map((fields) => ({ ...exampleSuperblock(), ...fields }));

describe('a superblock', () => {
  it('comes back as it was written, from every copy', () => {
    fc.assert(
      fc.property(anySuperblock, fc.integer({ min: 0, max: 4 }), (superblock, copyIndex) => {
        const decoded = decodeSuperblock(encoded(superblock, copyIndex));
        expect(decoded.ok && decoded.value).toMatchObject({
          superblock,
          copyIndex,
          slot: slotOf(superblock.sequence),
          spareIndex: copyIndex % 2,
          readOnly: false,
        });
      }),
    );
  });

  it('may have a name that no set is given any more', () => {
    const decoded = decodeSuperblock(encoded({ ...exampleSuperblock(), name: '../a/b' }));
    expect(decoded.ok && decoded.value.superblock.name).toBe('../a/b');
  });

  it('has one content CRC in all copies, and another after any change', () => {
    const crcOf = (block: Uint8Array): number => {
      const decoded = decodeSuperblock(block);
      return decoded.ok ? decoded.value.contentCrc : -1;
    };
    const crcs = [0, 1, 2, 3, 4].map((copyIndex) => crcOf(encoded(exampleSuperblock(), copyIndex)));
    expect(new Set(crcs).size).toBe(1);
    expect(crcOf(encoded({ ...exampleSuperblock(), openCount: 3 }))).not.toBe(crcs[0]);
  });

  it('keeps settings, whatever they are, at their place, and none are zeroes, as before there were any', () => {
    const kept = encoded({ ...exampleSuperblock(), settings: [0, 7, 0xffff_ffff] });
    expect([1896, 1900, 1904, 1908].map((at) => viewOf(kept).getUint32(at, true))).toEqual([
      0, 7, 0xffff_ffff, 0,
    ]);
    expect(verdictAfter((_, block) => block.fill(0xff, 1896, 2152))).toBe('ok');
    const decoded = decodeSuperblock(encoded());
    expect(decoded.ok && decoded.value.superblock.settings).toEqual([]);
  });

  it.each([
    ['parts that are no power of two', { partBytes: 3 << 20 }],
    ['parts smaller than a region', { partBytes: 1 << 19 }],
    ['no number', { copyId: new Uint8Array(16) }],
    ['too few parts for the main device', {}, 8193 * 2 ** 20],
  ])('has no position of a copying with %s', (_name, wrong, mainSizeBytes = 1 << 30) => {
    const position = {
      copyId: new Uint8Array(16).fill(1),
      partBytes: 1 << 20,
      settled: new Uint8Array(1024),
    };
    const positionOf = (copyPosition: CopyPosition): unknown => {
      const decoded = decodeSuperblock(encoded({ ...exampleSuperblock(), mainSizeBytes, copyPosition }));
      return decoded.ok && decoded.value.superblock.copyPosition;
    };
    expect(positionOf({ ...position, partBytes: 1 << 21 })).toBeDefined();
    expect(positionOf({ ...position, ...wrong })).toBeUndefined();
  });

  it('does not contradict one that a program without settings wrote of it', () => {
    const withSettings = encoded({ ...exampleSuperblock(), settings: [3] });
    const crcs = [withSettings, encoded()].map((block) => {
      const decoded = decodeSuperblock(block);
      return decoded.ok && decoded.value.contentCrc;
    });
    expect(crcs[0]).toBe(crcs[1]);
  });

  it('is refused after any single byte changed', () => {
    const block = encoded();
    for (let index = 0; index < METADATA_PAGE_BYTES; index += 1) {
      block[index]! ^= 1 << (index % 8);
      expect(decodeSuperblock(block)).toEqual({ ok: false, error: index < 8 ? 'notOurs' : 'badChecksum' });
      block[index]! ^= 1 << (index % 8);
    }
    expect(decodeSuperblock(block).ok).toBe(true);
  });

  it('is refused when torn anywhere: the start of a new one over an old one', () => {
    const before = encoded(exampleSuperblock());
    const after = encoded({
      ...exampleSuperblock(),
      sequence: 9,
      updatedSeconds: 1_770_000_000,
      counters: [1, 2, 3],
    });
    const lastDifference = after.findLastIndex((byte, index) => byte !== before[index]);
    const firstDifference = after.findIndex((byte, index) => byte !== before[index]);
    for (let length = firstDifference + 1; length <= lastDifference; length += 1) {
      const torn = before.slice();
      torn.set(after.subarray(0, length));
      expect(decodeSuperblock(torn)).toEqual({ ok: false, error: 'badChecksum' });
    }
  });

  it('is told from nothing and from something else', () => {
    expect(decodeSuperblock(new Uint8Array(4096))).toEqual({ ok: false, error: 'blank' });
    expect(decodeSuperblock(new Uint8Array(4096).fill(0xff))).toEqual({ ok: false, error: 'notOurs' });
  });

  it('of another version is refused before anything else of it is looked at', () => {
    expect(verdictAfter((view, block) => [block.fill(0xff, 16), view.setUint16(12, 2, true)])).toBe(
      'unsupportedVersion',
    );
    expect(verdictAfter((view) => view.setUint16(12, 0, true))).toBe('unsupportedVersion');
  });

  it('with an unknown compat bit is accepted, and the bit is dropped by the next write', () => {
    const block = encoded();
    viewOf(block).setUint32(16, 0x8000_0002, true);
    seal(block);
    const decoded = decodeSuperblock(block);
    expect(decoded.ok && decoded.value.superblock.features.compat).toBe(0x8000_0002);
    if (decoded.ok) expect(encoded(decoded.value.superblock)).toEqual(encoded());
  });

  it('says how large the main device itself is with the compat bit for that, and not without', () => {
    const sizes = { mainDeviceBytes: 3 << 29, mainDeviceBlockBytes: 512 };
    const { features } = exampleSuperblock();
    const set = { ...exampleSuperblock(), ...sizes, logicalBlockBytes: 4096, unitBytes: 4096 };
    const block = encoded({ ...set, features: featuresForMain(features, sizes) });
    const decoded = decodeSuperblock(block);
    expect(decoded.ok && decoded.value.superblock).toMatchObject(sizes);
    viewOf(block).setUint32(16, 0, true);
    seal(block);
    const without = decodeSuperblock(block);
    expect(without.ok && without.value.superblock).toMatchObject({
      mainDeviceBytes: 0,
      mainDeviceBlockBytes: 0,
    });
  });

  it('of a main device that is smaller than what is served of it makes no sense', () => {
    const withMainDevice = (change: (view: DataView) => void): string =>
      verdictAfter((view) => {
        view.setUint32(16, 1, true);
        change(view);
      });
    expect(withMainDevice((view) => view.setUint32(120, 1 << 29, true))).toBe('implausible');
    expect(withMainDevice((view) => view.setUint32(128, 4096, true))).toBe('implausible');
    expect(withMainDevice((view) => view.setUint32(124, 1, true))).toBe('ok');
  });

  it('with an unknown ro-compat bit is for reading only', () => {
    const block = encoded();
    viewOf(block).setUint32(20, 0x8000_0000, true);
    seal(block);
    const decoded = decodeSuperblock(block);
    expect(decoded.ok && decoded.value.readOnly).toBe(true);
    if (decoded.ok) expect(() => encoded(decoded.value.superblock)).toThrow('reading only');
  });

  it('with an unknown incompat bit is refused, even if its tables make no sense', () => {
    expect(verdictAfter((view, block) => [block.fill(0xff, 544, 1312), view.setUint32(24, 4, true)])).toBe(
      'incompatibleFeature',
    );
    expect(KNOWN_FEATURES).toEqual({ compat: 1, roCompat: 0, incompat: 1 });
  });

  it('has no opinion on reserved bytes, and writes them as zero', () => {
    expect(verdictAfter((_, block) => block.fill(0xff, 2152))).toBe('ok');
    expect(
      encoded()
        .subarray(2152)
        .every((byte) => byte === 0),
    ).toBe(true);
  });
});

const IMPLAUSIBLE: readonly (readonly [string, (view: DataView) => void])[] = [
  ['a slot that is not its sequence', (view) => view.setUint16(66, 0, true)],
  ['a copy index without an entry', (view) => view.setUint16(64, 5, true)],
  ['a spare that its copy is not on', (view) => view.setUint16(68, 1, true)],
  ['no copies', (view) => view.setUint16(70, 0, true)],
  ['more copies than the table has', (view) => view.setUint16(70, 9, true)],
  ['no spares', (view) => view.setUint16(72, 0, true)],
  ['more spares than the table has', (view) => view.setUint16(72, 9, true)],
  ['a spare without a copy', (view) => view.setUint16(70, 1, true)],
  ['another number of descriptors per page', (view) => view.setUint16(74, 127, true)],
  ['a unit that is not a power of two', (view) => view.setUint32(76, 4095, true)],
  ['a unit of more blocks than the lost mask has bits', (view) => view.setUint32(76, 32768, true)],
  ['a logical block that no disk has', (view) => view.setUint32(80, 1024, true)],
  [
    'a logical block larger than the unit',
    (view) => [view.setUint32(76, 2048, true), view.setUint32(80, 4096, true)],
  ],
  ['a main device of nothing', (view) => writeU64(view, 88, 0)],
  ['a main device of broken blocks', (view) => writeU64(view, 88, 1000)],
  ['a main device beyond 2^53', (view) => view.setUint32(92, 0x0020_0000, true)],
  ['another page count than its spares have', (view) => writeU64(view, 96, 1)],
  ['a sequence beyond 2^52', (view) => view.setUint32(52, 0x0010_0000, true)],
  ['a sequence beyond 2^53', (view) => view.setUint32(52, 0xffff_ffff, true)],
  ['a generation beyond 2^53', (view) => view.setUint32(60, 0xffff_ffff, true)],
  ['a time beyond 2^53', (view) => view.setUint32(116, 0xffff_ffff, true)],
  ['a spare that is too small', (view) => writeU64(view, spareAt(0) + 16, 4096)],
  ['a spare of a size that does not match its units', (view) => writeU64(view, spareAt(0) + 16, 32 << 20)],
  ['a gap between the units of two spares', (view) => writeU64(view, spareAt(1) + 24, 126 * 400)],
  ['a unit count that is not whole pages', (view) => writeU64(view, spareAt(1) + 32, 1)],
  ['more initialised pages than the spare has', (view) => writeU64(view, spareAt(1) + 40, 18)],
  ['a copy on a spare that is not there', (view) => view.setUint16(copyAt(4), 2, true)],
  ['a copy between two pages', (view) => writeU64(view, copyAt(4) + 8, 4097)],
  ['a copy behind the end of its spare', (view) => writeU64(view, copyAt(4) + 8, 16 << 20)],
  ['a copy beyond 2^53', (view) => view.setUint32(copyAt(4) + 12, 0xffff_ffff, true)],
  ['two copies at one place', (view) => writeU64(view, copyAt(2) + 8, 4096)],
  ['a copy with too little room', (view) => writeU64(view, copyAt(4) + 16, 1)],
  ['a copy with too much room', (view) => writeU64(view, copyAt(4) + 16, 2 ** 40)],
  ['an unknown policy', (view) => view.setUint8(1312, 2)],
  ['more counters than there is room for', (view) => view.setUint32(1376, 65, true)],
  ['a counter beyond 2^53', (view) => view.setUint32(1388, 0xffff_ffff, true)],
];

describe('a superblock with a good CRC and wrong numbers', () => {
  for (const [what, change] of IMPLAUSIBLE) {
    it(`is implausible with ${what}`, () => {
      expect(verdictAfter(change)).toBe('implausible');
    });
  }

  it('never throws, whatever it holds', () => {
    const spot = fc.tuple(fc.integer({ min: 12, max: 1500 }), fc.uint8Array({ minLength: 1, maxLength: 40 }));
    fc.assert(
      fc.property(fc.array(spot, { maxLength: 4 }), (spots) => {
        const verdict = verdictAfter((_, block) => {
          for (const [at, bytes] of spots) block.set(bytes, at);
        });
        expect(['ok', 'implausible', 'unsupportedVersion', 'incompatibleFeature']).toContain(verdict);
      }),
      { numRuns: 500 },
    );
  });

  it('is never written', () => {
    for (const wrong of [{ sequence: NOT_EXACT }, { pageCount: 0 }, { onLost: 7 }, { mainSizeBytes: 5 }]) {
      expect(() => encoded({ ...exampleSuperblock(), ...wrong })).toThrow();
    }
    expect(() => encoded(exampleSuperblock(), 5)).toThrow('copy 5 of 5');
  });
});
