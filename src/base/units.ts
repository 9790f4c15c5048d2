import { assert } from './assert.js';

/**
 * Every quantity of the storage world has its own type; conversions between them are only here.
 * A brand stops assignment of one unit to another. The hot path keeps raw numbers in typed arrays, whose names
 * carry the unit instead.
 */
declare const unitTag: unique symbol;

/** A byte offset or byte count, an exact integer from 0 to 2^53 - 1. */
export type Bytes = number & { readonly [unitTag]: 'bytes' };
/** A sector number or count; a sector is always 512 bytes. */
export type Sector = number & { readonly [unitTag]: 'sector' };
/** Index of a relocation unit on the main device. */
export type MainUnit = number & { readonly [unitTag]: 'main unit' };
/**
 * Index of a unit over all spare devices of a set: the units of spare 0 come first, then those of spare 1, each
 * spare starting at a multiple of the descriptors per page (`format/layout.ts`).
 */
export type SpareUnit = number & { readonly [unitTag]: 'spare unit' };

export const SECTOR_BYTES = 512;

export function bytes(value: number): Bytes {
  assert(Number.isSafeInteger(value) && value >= 0, `not a byte count: ${value}`);
  return value as Bytes;
}

export function sector(value: number): Sector {
  assert(Number.isSafeInteger(value) && value >= 0, `not a sector number: ${value}`);
  return value as Sector;
}

export function mainUnit(value: number): MainUnit {
  assert(Number.isSafeInteger(value) && value >= 0, `not a main unit: ${value}`);
  return value as MainUnit;
}

export function spareUnit(value: number): SpareUnit {
  assert(Number.isSafeInteger(value) && value >= 0, `not a spare unit: ${value}`);
  return value as SpareUnit;
}

export function sectorToBytes(value: Sector): Bytes {
  return bytes(value * SECTOR_BYTES);
}

/** The sector that holds this byte. */
export function sectorOfByte(offset: Bytes): Sector {
  return Math.floor(offset / SECTOR_BYTES) as Sector;
}

/** The unit of the main device that holds this byte. */
export function mainUnitOfByte(offsetBytes: number, unitBytes: number): MainUnit {
  return Math.floor(offsetBytes / unitBytes) as MainUnit;
}

export function mainUnitToBytes(unit: MainUnit, unitBytes: number): Bytes {
  return bytes(unit * unitBytes);
}

export function isPowerOfTwo(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0 && Number.isInteger(Math.log2(value));
}

export function alignDown(value: number, step: number): number {
  return value - (value % step);
}

export function alignUp(value: number, step: number): number {
  return alignDown(value + step - 1, step);
}
