import { assert } from '../base/assert.js';
import type { DeviceShape } from './device-shape.js';
import { MAIN } from './effect.js';
import { REGION_BYTES } from './limits.js';
import type { RegionFilter } from './region-filter.js';
import { RegionFlag } from './region-filter.js';
import type { RemapTable } from './remap-table.js';

/**
 * Where each part of one request lives: runs on the main device and on spares, in order, without gaps. Reused for
 * every request: typed arrays, filled and forgotten.
 */
export class RequestPlan {
  readonly capacity: number;
  readonly target: Uint8Array;
  readonly offsetBytes: Float64Array;
  readonly lengthBytes: Uint32Array;
  count = 0;
  /** First byte of the request that has no contents, or -1. */
  firstLostOffsetBytes = -1;
  /** The plan has more runs than fit. */
  overflow = false;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.target = new Uint8Array(capacity);
    this.offsetBytes = new Float64Array(capacity);
    this.lengthBytes = new Uint32Array(capacity);
  }

  clear(): void {
    this.count = 0;
    this.firstLostOffsetBytes = -1;
    this.overflow = false;
  }

  touches(target: number): boolean {
    for (let index = 0; index < this.count; index += 1) if (this.target[index] === target) return true;
    return false;
  }

  /** Adds a run, or lengthens the last one if it goes on there. */
  push(target: number, offsetBytes: number, lengthBytes: number): void {
    const last = this.count - 1;
    if (
      last >= 0 &&
      this.target[last] === target &&
      this.offsetBytes[last]! + this.lengthBytes[last]! === offsetBytes
    ) {
      this.lengthBytes[last]! += lengthBytes;
      return;
    }
    if (this.count === this.capacity) {
      this.overflow = true;
      return;
    }
    this.target[this.count] = target;
    this.offsetBytes[this.count] = offsetBytes;
    this.lengthBytes[this.count] = lengthBytes;
    this.count += 1;
  }
}

/** Fills `plan` for the bytes [offset, offset + length); block aligned, inside the device, at least one block. */
export function planRequest(
  shape: DeviceShape,
  table: RemapTable,
  filter: RegionFilter,
  offsetBytes: number,
  lengthBytes: number,
  plan: RequestPlan,
): void {
  assert(lengthBytes > 0 && offsetBytes + lengthBytes <= shape.mainSizeBytes, 'request inside the device');
  plan.clear();
  const endBytes = offsetBytes + lengthBytes;
  let at = offsetBytes;
  while (at < endBytes) {
    const regionEnd = Math.min(endBytes, at - (at % REGION_BYTES) + REGION_BYTES);
    if (filter.hasAny(at, 1, RegionFlag.remapped)) planUnits(shape, table, at, regionEnd, plan);
    else plan.push(MAIN, at, regionEnd - at);
    at = regionEnd;
  }
}

function planUnits(
  shape: DeviceShape,
  table: RemapTable,
  from: number,
  end: number,
  plan: RequestPlan,
): void {
  const unitBytes = shape.unitBytes;
  let at = from;
  while (at < end) {
    const unit = Math.floor(at / unitBytes);
    const within = at - unit * unitBytes;
    const partEnd = Math.min(end, (unit + 1) * unitBytes);
    const spareUnit = table.find(unit);
    if (spareUnit === -1) {
      plan.push(MAIN, at, partEnd - at);
    } else {
      plan.push(shape.targetOf(spareUnit), shape.spareOffsetBytes(spareUnit) + within, partEnd - at);
      noteLoss(shape, table.lostMask(spareUnit), at, within, partEnd - at, plan);
    }
    at = partEnd;
  }
}

function noteLoss(
  shape: DeviceShape,
  lostMask: number,
  at: number,
  within: number,
  lengthBytes: number,
  plan: RequestPlan,
): void {
  if (lostMask === 0 || plan.firstLostOffsetBytes !== -1) return;
  const hit = lostMask & shape.blockMask(within, within + lengthBytes);
  if (hit === 0) return;
  const block = 31 - Math.clz32(hit & -hit);
  plan.firstLostOffsetBytes = at - within + block * shape.logicalBlockBytes;
}
