import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { assert } from '../../../base/assert.js';
import { crc32 } from '../../../base/crc32.js';
import { writeU64 } from '../../../base/little-endian.js';
import type { ReadBytes } from '../../foreign-signature.js';

/**
 * Writes spares as the kernel module leaves them, from the description of its layouts (shared/facts/upstream.md
 * section 2) and not with the decoder's constants. `module-image.test.ts` compares it with the two sample images.
 */
export function writeV4Copies(image: Uint8Array, record: V4Example, copyIndexes = [0, 1, 2, 3, 4]): void {
  const bytes = v4Record(record);
  for (const copyIndex of copyIndexes) {
    const at = copyIndex * 0x20000;
    image.subarray(at, at + 0x20000).fill(record.padding ?? 0);
    image.set(bytes, at);
  }
}

export interface V4Example {
  readonly sequence: number;
  readonly timeSeconds?: number;
  readonly mainSectors: number;
  readonly spareSectors: number;
  readonly remaps: readonly ExampleRemap[];
  /** Default: the number of remaps. */
  readonly activeRemaps?: number;
  readonly healthScore?: number;
  readonly sectorBytes?: number;
  /** What the rest of each 128 KiB block holds. */
  readonly padding?: number;
}

export interface ExampleRemap {
  readonly main: number;
  readonly spare: number;
  /** 1 pending, 2 active (default). */
  readonly flags?: number;
  readonly timeNanoseconds?: bigint;
}

/** 84288 bytes with a good checksum. */
export function v4Record(record: V4Example): Uint8Array {
  const bytes = new Uint8Array(0x14940);
  const view = new DataView(bytes.buffer);
  view.setUint32(0x00, 0x444d5234, true);
  view.setUint32(0x04, 4, true);
  writeU64(view, 0x08, record.sequence);
  writeU64(view, 0x10, record.timeSeconds ?? EXAMPLE_SECONDS);
  view.setUint32(0x20, 84288, true);
  writeU64(view, 0x78, record.mainSectors);
  writeU64(view, 0x80, record.spareSectors);
  view.setUint32(0x88, record.sectorBytes ?? 512, true);
  view.setUint32(0x100, record.healthScore ?? 100, true);
  view.setUint32(0x110, 24, true);
  view.setUint32(0x128, record.activeRemaps ?? record.remaps.length, true);
  view.setUint32(0x12c, 2048, true);
  for (const [index, { main, spare, flags = 2, timeNanoseconds = 0n }] of record.remaps.entries()) {
    const at = 0x138 + index * 40;
    writeU64(view, at, main);
    writeU64(view, at + 8, spare);
    view.setBigUint64(at + 16, timeNanoseconds, true);
    view.setUint32(at + 28, 1, true);
    view.setUint16(at + 34, flags, true);
  }
  sealV4Record(bytes);
  return bytes;
}

/** Gives changed bytes a good checksum again. */
export function sealV4Record(bytes: Uint8Array): void {
  const covered = Buffer.concat([bytes.subarray(0, 24), bytes.subarray(28, 84288)]);
  const checksum = (crc32(covered, 0xffffffff) ^ 0xffffffff) >>> 0;
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(0x18, checksum, true);
}

/** Header and entries of version 3, as the sample has them: the header does not spill over. */
export function writeV3Record(image: Uint8Array, record: V3Example): void {
  const view = new DataView(image.buffer, image.byteOffset);
  image.set(Buffer.from('DMREMAP3'), 0);
  view.setUint32(8, record.version ?? 1, true);
  view.setUint32(12, record.checksum ?? 0, true);
  writeU64(view, 16, EXAMPLE_SECONDS);
  writeU64(view, 24, EXAMPLE_SECONDS + 60);
  view.setUint32(32, record.entryCount ?? record.remaps.length, true);
  view.setUint32(36, 252, true);
  writeU64(view, 40, record.mainSectors);
  writeU64(view, 48, record.spareSectors);
  view.setUint32(60, 1, true);
  for (const [index, { main, spare }] of record.remaps.entries()) {
    writeU64(view, 4096 + index * 16, main);
    writeU64(view, 4096 + index * 16 + 8, spare);
  }
}

export interface V3Example {
  readonly mainSectors: number;
  readonly spareSectors: number;
  readonly remaps: readonly ExampleRemap[];
  readonly version?: number;
  readonly entryCount?: number;
  readonly checksum?: number;
}

/** The record of the shell tool, at its five places as far as they lie in the image. */
export function writeScriptRecords(image: Uint8Array, sectors = EARLY_PLACES): void {
  const bytes = new Uint8Array(512);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x444d5234, true);
  view.setUint32(4, 4, true);
  writeU64(view, 8, 1);
  writeU64(view, 16, EXAMPLE_SECONDS);
  view.setUint32(32, 2048, true);
  writeU64(view, 114, 204800);
  writeU64(view, 122, 8192);
  view.setUint32(130, 512, true);
  bytes.set(Buffer.from('/dev/loop17'.padEnd(128)), 144);
  bytes.set(Buffer.from('/dev/loop18'.padEnd(128)), 272);
  for (const sector of sectors) if ((sector + 1) * 512 <= image.length) image.set(bytes, sector * 512);
}

/** Pages of versions 4.0 and 4.1: the head of a record whose checksum speaks of 80 KiB that are not there. */
export function writeEarlyPages(image: Uint8Array): void {
  const page = v4Record({ sequence: 1, mainSectors: 204800, spareSectors: 8192, remaps: [] }).subarray(
    0,
    4096,
  );
  page[0x40] = 1;
  for (const sector of EARLY_PLACES) if (sector * 512 + 4096 <= image.length) image.set(page, sector * 512);
}

/** What is at a spare sector of the examples: `SPARE-DATA-FOR-MAIN-SECTOR-<main>` and zeroes. */
export function exampleData(mainSector: number): Uint8Array {
  const bytes = new Uint8Array(512);
  bytes.set(Buffer.from(`SPARE-DATA-FOR-MAIN-SECTOR-${mainSector}`));
  return bytes;
}

export function writeExampleData(image: Uint8Array, remaps: readonly ExampleRemap[]): void {
  for (const { main, spare } of remaps) {
    assert((spare + 1) * 512 <= image.length, `spare sector ${spare} is in the image`);
    image.set(exampleData(main), spare * 512);
  }
}

/** One of the two sample images. */
export function sampleImage(name: 'v3' | 'v4'): Uint8Array {
  return gunzipSync(readFileSync(new URL(`./samples/${name}-spare-sample.bin.gz`, import.meta.url)));
}

/** Reads an image as a decoder does; ranges that touch an unreadable sector are not answered. */
export function readerOf(image: Uint8Array, unreadableSectors: readonly number[] = []): ReadBytes {
  return (offset, length) => {
    const isHit = unreadableSectors.some(
      (sector) => sector * 512 < offset + length && (sector + 1) * 512 > offset,
    );
    return isHit || offset + length > image.length ? undefined : image.subarray(offset, offset + length);
  };
}

/** The time in both samples. */
export const EXAMPLE_SECONDS = 0x69000780;
const EARLY_PLACES = [0, 1024, 2048, 4096, 8192];
