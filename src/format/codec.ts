import { assert } from '../base/assert.js';
import { readU64, writeU64 } from '../base/little-endian.js';
import { withoutControls } from '../base/without-controls.js';

/**
 * Byte layouts as tables: a record type and, for each of its keys, where it lies and how wide it is. The tables are
 * the format; nothing else in this folder knows an offset within a superblock. Cold path only.
 */
export type RecordFields<Rec> = { readonly [Key in keyof Rec]: Field<Rec[Key]> };

export interface Field<Value> {
  /** From the start of the record. */
  readonly offset: number;
  readonly sizeBytes: number;
  read(view: DataView, at: number): Value;
  write(view: DataView, at: number, value: Value): void;
}

export function readRecord<Rec>(fields: RecordFields<Rec>, view: DataView, base: number): Rec {
  const record: Partial<Rec> = {};
  for (const key of keysOf(fields)) record[key] = fields[key].read(view, base + fields[key].offset);
  return record as Rec;
}

/** Writes the fields only; bytes between them are left alone. */
export function writeRecord<Rec>(fields: RecordFields<Rec>, view: DataView, base: number, record: Rec): void {
  for (const key of keysOf(fields)) fields[key].write(view, base + fields[key].offset, record[key]);
}

export function u8(offset: number): Field<number> {
  return {
    offset,
    sizeBytes: 1,
    read: (view, at) => view.getUint8(at),
    write: (view, at, value) => view.setUint8(at, inRange(value, 0xff)),
  };
}

export function u16(offset: number): Field<number> {
  return {
    offset,
    sizeBytes: 2,
    read: (view, at) => view.getUint16(at, true),
    write: (view, at, value) => view.setUint16(at, inRange(value, 0xffff), true),
  };
}

export function u32(offset: number): Field<number> {
  return {
    offset,
    sizeBytes: 4,
    read: (view, at) => view.getUint32(at, true),
    write: (view, at, value) => view.setUint32(at, inRange(value, 0xffff_ffff), true),
  };
}

/** Reads as `NOT_EXACT` from 2^53 on. */
export function u64(offset: number): Field<number> {
  return { offset, sizeBytes: 8, read: readU64, write: writeU64 };
}

/** Exactly `sizeBytes` bytes; reading gives a copy. */
export function byteString(offset: number, sizeBytes: number): Field<Uint8Array> {
  return {
    offset,
    sizeBytes,
    read: (view, at) => bytesAt(view, at, sizeBytes).slice(),
    write: (view, at, value) => {
      assert(value.length === sizeBytes, `${value.length} bytes for a field of ${sizeBytes}`);
      bytesAt(view, at, sizeBytes).set(value);
    },
  };
}

/** UTF-8, padded with zeroes, cut after the last character that fits whole. A control character reads as "?". */
export function text(offset: number, sizeBytes: number): Field<string> {
  return {
    offset,
    sizeBytes,
    read: (view, at) => decodeText(bytesAt(view, at, sizeBytes)),
    write: (view, at, value) => bytesAt(view, at, sizeBytes).set(encodeText(value, sizeBytes)),
  };
}

/** The part of a text that a field of `sizeBytes` gives back. */
export function storableText(value: string, sizeBytes: number): string {
  return decodeText(encodeText(value, sizeBytes));
}

/** `count` numbers one behind another; what is not given is written as 0. */
export function list(
  element: (offset: number) => Field<number>,
  offset: number,
  count: number,
): Field<readonly number[]> {
  const { sizeBytes, read, write } = element(0);
  return {
    offset,
    sizeBytes: sizeBytes * count,
    read: (view, at) => Array.from({ length: count }, (_, index) => read(view, at + index * sizeBytes)),
    write: (view, at, values) => {
      assert(values.length <= count, `${values.length} numbers for a list of ${count}`);
      for (let index = 0; index < count; index += 1) write(view, at + index * sizeBytes, values[index] ?? 0);
    },
  };
}

function keysOf<Rec>(fields: RecordFields<Rec>): readonly (keyof Rec)[] {
  return Object.keys(fields) as (keyof Rec)[];
}

function bytesAt(view: DataView, at: number, sizeBytes: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + at, sizeBytes);
}

function encodeText(value: string, sizeBytes: number): Uint8Array {
  const encoded = new Uint8Array(sizeBytes);
  const end = value.indexOf('\0');
  new TextEncoder().encodeInto(end === -1 ? value : value.slice(0, end), encoded);
  return encoded;
}

function decodeText(encoded: Uint8Array): string {
  const end = encoded.indexOf(0);
  const written = new TextDecoder('utf-8', { ignoreBOM: true }).decode(
    end === -1 ? encoded : encoded.subarray(0, end),
  );
  // They go to terminals and into lines of listings, and whoever wrote the disk may have meant that.
  return withoutControls(written);
}

function inRange(value: number, maximum: number): number {
  assert(Number.isInteger(value) && value >= 0 && value <= maximum, `${value} is not within 0..${maximum}`);
  return value;
}
