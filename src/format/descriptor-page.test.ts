import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeU64 } from '../base/little-endian.js';
import {
  type Descriptor,
  emptyDescriptor,
  isLaterMove,
  pageGeneration,
  pageSequence,
  readDescriptor,
  sealPage,
  verifyPage,
  writeDescriptor,
} from './descriptor-page.js';
import { DESCRIPTORS_PER_PAGE, descriptorOffsetBytes, METADATA_PAGE_BYTES } from './layout.js';
import { seal, viewOf } from './sealed-block.js';

const IDENTITY = { setId: new Uint8Array(16).fill(7), copyIndex: 3, slot: 1, pageIndex: 1000 };

const exact = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const byte = fc.integer({ min: 0, max: 255 });
const anyDescriptor: fc.Arbitrary<Descriptor> = fc.record({
  state: fc.integer({ min: 0, max: 2 }),
  mainUnit: exact,
  lostMask: fc.integer({ min: 0, max: 0xffff_ffff }),
  timeSeconds: exact,
  errorCount: fc.integer({ min: 0, max: 0xffff }),
  moveCount: byte,
  reason: byte,
});

function filledPage(seed = 1, sequence = 41): Uint8Array {
  const page = new Uint8Array(METADATA_PAGE_BYTES);
  const view = viewOf(page);
  for (let unit = 0; unit < DESCRIPTORS_PER_PAGE; unit += 1) {
    const descriptor = {
      ...emptyDescriptor(),
      state: 1,
      mainUnit: unit * 977 * seed,
      timeSeconds: 1_760_000_000 + seed,
    };
    writeDescriptor(view, descriptorOffsetBytes(unit), descriptor);
  }
  sealPage(page, { ...IDENTITY, slot: sequence % 2 }, sequence, 5);
  return page;
}

describe('a descriptor', () => {
  it('comes back as it was written, and touches no other', () => {
    fc.assert(
      fc.property(anyDescriptor, fc.integer({ min: 0, max: 125 }), (descriptor, unit) => {
        const page = new Uint8Array(METADATA_PAGE_BYTES).fill(0xee);
        const offset = descriptorOffsetBytes(unit);
        writeDescriptor(viewOf(page), offset, descriptor);
        const back = emptyDescriptor();
        expect(readDescriptor(viewOf(page), offset, back)).toBe(true);
        expect(back).toEqual(descriptor);
        page.fill(0xee, offset, offset + 32);
        expect(page.every((each) => each === 0xee)).toBe(true);
      }),
    );
  });

  it('that this version could not have written is refused', () => {
    const view = new DataView(new ArrayBuffer(32));
    const wrongs: (() => void)[] = [
      () => view.setUint8(27, 3),
      () => view.setUint32(4, 0x20_0000, true),
      () => view.setUint32(12, 1, true),
      () => view.setUint32(20, 0x20_0000, true),
    ];
    for (const makeWrong of wrongs) {
      writeDescriptor(view, 0, emptyDescriptor());
      expect(readDescriptor(view, 0, emptyDescriptor())).toBe(true);
      makeWrong();
      expect(readDescriptor(view, 0, emptyDescriptor())).toBe(false);
    }
  });

  it('that does not fit its fields is not written', () => {
    const view = new DataView(new ArrayBuffer(32));
    for (const wrong of [
      { errorCount: 65536 },
      { moveCount: 256 },
      { state: 3 },
      { reason: 256 },
      { lostMask: -1 },
    ]) {
      expect(() => writeDescriptor(view, 0, { ...emptyDescriptor(), ...wrong })).toThrow();
    }
  });
});

describe('the newer of two claims', () => {
  it('is the one that moved later, across the end of the counter', () => {
    for (let count = 0; count < 256; count += 1) {
      expect(isLaterMove((count + 1) & 255, count)).toBe(true);
      expect(isLaterMove(count, (count + 1) & 255)).toBe(false);
      expect(isLaterMove(count, count)).toBe(false);
    }
  });
});

describe('a page', () => {
  it('is good where it belongs, and tells its sequence and generation', () => {
    const page = filledPage();
    expect(verifyPage(page, IDENTITY)).toBe('good');
    expect(pageSequence(page)).toBe(41);
    expect(pageGeneration(page)).toBe(5);
  });

  it('can be sealed again for the next copy', () => {
    const page = filledPage();
    sealPage(page, { ...IDENTITY, copyIndex: 4 }, 43, 6);
    expect(verifyPage(page, IDENTITY)).toBe('misplaced');
    expect(verifyPage(page, { ...IDENTITY, copyIndex: 4 })).toBe('good');
  });

  it('is refused after any single byte changed, and is left as it was by the check', () => {
    const page = filledPage();
    const before = page.slice();
    for (let index = 0; index < METADATA_PAGE_BYTES; index += 1) {
      page[index]! ^= 1 << (index % 8);
      expect(verifyPage(page, IDENTITY)).toBe(index < 8 ? 'notOurs' : 'badChecksum');
      page[index]! ^= 1 << (index % 8);
    }
    expect(page).toEqual(before);
  });

  it('is refused when torn anywhere: the start of a new one over an old one', () => {
    const before = filledPage(1, 41);
    const after = filledPage(3, 43);
    const differing = [...after.keys()].filter((index) => after[index] !== before[index]);
    for (let length = differing[0]! + 1; length <= differing.at(-1)!; length += 1) {
      const torn = before.slice();
      torn.set(after.subarray(0, length));
      expect(verifyPage(torn, IDENTITY)).toBe('badChecksum');
    }
  });

  it('is told from nothing, something else, another set and another place', () => {
    expect(verifyPage(new Uint8Array(4096), IDENTITY)).toBe('blank');
    expect(verifyPage(new Uint8Array(4096).fill(0xff), IDENTITY)).toBe('notOurs');
    const page = filledPage();
    expect(verifyPage(page, { ...IDENTITY, setId: new Uint8Array(16) })).toBe('foreignSet');
    for (const other of [{ copyIndex: 2 }, { slot: 0 }, { pageIndex: 1001 }]) {
      expect(verifyPage(page, { ...IDENTITY, ...other })).toBe('misplaced');
    }
  });

  it('with a sequence of the other slot, or numbers beyond 2^52, is misplaced', () => {
    for (const change of [
      (view: DataView) => writeU64(view, 40, 2 ** 52 + 1),
      (view: DataView) => writeU64(view, 48, 2 ** 52 + 1),
      (view: DataView) => writeU64(view, 40, 42),
      (view: DataView) => view.setUint32(44, 0xffff_ffff, true),
      (view: DataView) => view.setUint32(52, 0xffff_ffff, true),
      (view: DataView) => view.setUint32(36, 0xffff_ffff, true),
    ]) {
      const page = filledPage();
      change(viewOf(page));
      seal(page);
      expect(verifyPage(page, IDENTITY)).toBe('misplaced');
    }
  });

  it('is not sealed for a slot that its sequence does not belong to', () => {
    expect(() => sealPage(new Uint8Array(4096), IDENTITY, 42, 1)).toThrow('does not belong');
  });
});
