import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  byteString,
  type Field,
  list,
  type RecordFields,
  readRecord,
  storableText,
  text,
  u8,
  u16,
  u32,
  u64,
  writeRecord,
} from './codec.js';
import { METADATA_PAGE_BYTES } from './layout.js';
import { CRC_BYTES, CRC_OFFSET } from './sealed-block.js';
import { COPY, copyAt, HEAD, SPARE, spareAt } from './superblock-fields.js';

interface Example {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
  readonly e: Uint8Array;
  readonly f: string;
  readonly g: readonly number[];
}

const FIELDS: RecordFields<Example> = {
  a: u8(0),
  b: u16(2),
  c: u32(4),
  d: u64(8),
  e: byteString(16, 4),
  f: text(20, 8),
  g: list(u16, 28, 2),
};

describe('records', () => {
  it('come back as they were written', () => {
    const record = {
      a: 255,
      b: 65535,
      c: 0xffff_ffff,
      d: 2 ** 53 - 1,
      e: Uint8Array.of(1, 2, 3, 4),
      f: 'disk',
      g: [7, 8],
    };
    const view = new DataView(new ArrayBuffer(40));
    writeRecord(FIELDS, view, 4, record);
    expect(readRecord(FIELDS, view, 4)).toEqual(record);
  });

  it('leave the bytes between their fields alone', () => {
    const bytes = new Uint8Array(32).fill(0xee);
    const record = { a: 0, b: 0, c: 0, d: 0, e: new Uint8Array(4), f: '', g: [] };
    writeRecord(FIELDS, new DataView(bytes.buffer), 0, record);
    expect(bytes.indexOf(0xee)).toBe(1);
    expect(bytes.lastIndexOf(0xee)).toBe(1);
  });

  it('refuse numbers, byte strings and lists that do not fit', () => {
    const view = new DataView(new ArrayBuffer(32));
    expect(() => u8(0).write(view, 0, 256)).toThrow('not within');
    expect(() => u16(0).write(view, 0, -1)).toThrow('not within');
    expect(() => u32(0).write(view, 0, 0.5)).toThrow('not within');
    expect(() => byteString(0, 4).write(view, 0, new Uint8Array(5))).toThrow('5 bytes');
    expect(() => list(u16, 0, 2).write(view, 0, [1, 2, 3])).toThrow('3 numbers');
  });
});

describe('texts', () => {
  it('are cut after the last character that fits whole', () => {
    expect(storableText('12345678', 8)).toBe('12345678');
    expect(storableText('1234567é', 8)).toBe('1234567');
    expect(storableText('123456é', 8)).toBe('123456é');
    expect(storableText('before\0after', 64)).toBe('before');
  });

  it('have no control characters, whoever wrote them: they go to terminals', () => {
    expect(storableText('a\u001b[31mb\nc\u009bd', 64)).toBe('a?[31mb?c?d');
  });

  it('are what a field gives back, whatever is put in', () => {
    const view = new DataView(new ArrayBuffer(8));
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom('a', 'é', '漢', '😀', '\0', '\ud800', '\n', '\u009b'),
          maxLength: 12,
        }),
        (value) => {
          text(0, 8).write(view, 0, value);
          expect(text(0, 8).read(view, 0)).toBe(storableText(value, 8));
          expect(storableText(storableText(value, 8), 8)).toBe(storableText(value, 8));
        },
      ),
    );
  });
});

describe('the tables of the superblock', () => {
  it('have no two fields over each other, and none outside', () => {
    const used = new Uint8Array(METADATA_PAGE_BYTES);
    const claim = (base: number, fields: readonly Pick<Field<never>, 'offset' | 'sizeBytes'>[]): void => {
      for (const { offset, sizeBytes } of fields) {
        for (let at = base + offset; at < base + offset + sizeBytes; at += 1) {
          expect(used[at], `byte ${at} is free`).toBe(0);
          used[at] = 1;
        }
      }
    };
    claim(0, [{ offset: CRC_OFFSET, sizeBytes: CRC_BYTES }]);
    claim(0, Object.values(HEAD));
    for (let index = 0; index < 8; index += 1) {
      claim(spareAt(index), Object.values(SPARE));
      claim(copyAt(index), Object.values(COPY));
    }
  });
});
