import { assert } from '../base/assert.js';
import { isPowerOfTwo } from '../base/units.js';
import { MAX_BLOCKS_PER_UNIT, MAX_UNIT_BYTES } from '../format/layout.js';
import type { Target } from './effect.js';
import { spareTarget } from './effect.js';

/** The fixed sizes of one protected device and its spares, and the arithmetic on them. */
export class DeviceShape {
  readonly mainSizeBytes: number;
  readonly unitBytes: number;
  readonly logicalBlockBytes: number;
  readonly blocksPerUnit: number;
  /** The mask that says every block of a unit is lost. */
  readonly fullLostMask: number;
  readonly spares: readonly SpareShape[];
  readonly spareUnitCount: number;

  constructor(sizes: {
    readonly mainSizeBytes: number;
    readonly unitBytes: number;
    readonly logicalBlockBytes: number;
    readonly spares: readonly SpareShape[];
  }) {
    this.mainSizeBytes = sizes.mainSizeBytes;
    this.unitBytes = sizes.unitBytes;
    this.logicalBlockBytes = sizes.logicalBlockBytes;
    this.blocksPerUnit = sizes.unitBytes / sizes.logicalBlockBytes;
    assert(
      isPowerOfTwo(this.unitBytes) && this.unitBytes <= MAX_UNIT_BYTES,
      `unit of ${this.unitBytes} bytes`,
    );
    assert(this.blocksPerUnit >= 1 && this.blocksPerUnit <= MAX_BLOCKS_PER_UNIT, 'blocks per unit');
    assert(this.mainSizeBytes % this.logicalBlockBytes === 0, 'the main device is whole logical blocks');
    this.fullLostMask = this.blocksPerUnit === 32 ? 0xffff_ffff : 2 ** this.blocksPerUnit - 1;
    this.spares = sizes.spares;
    const last = this.spares.at(-1);
    this.spareUnitCount = last === undefined ? 0 : last.firstUnit + last.unitCount;
  }

  /** Length of a main unit: the last one may be cut short by the end of the device. */
  unitLengthBytes(mainUnit: number): number {
    return Math.min(this.unitBytes, this.mainSizeBytes - mainUnit * this.unitBytes);
  }

  /** The store that holds a spare unit. */
  targetOf(spareUnit: number): Target {
    return spareTarget(this.spareIndexOf(spareUnit));
  }

  spareIndexOf(spareUnit: number): number {
    let index = this.spares.length - 1;
    while (index > 0 && spareUnit < this.spares[index]!.firstUnit) index -= 1;
    return index;
  }

  /** Where a spare unit starts on its store. */
  spareOffsetBytes(spareUnit: number): number {
    return (spareUnit - this.spares[this.spareIndexOf(spareUnit)]!.firstUnit) * this.unitBytes;
  }

  /** Bits of the logical blocks from `fromBytes` to `toBytes` (offsets within a unit, block aligned). */
  blockMask(fromBytes: number, toBytes: number): number {
    const first = fromBytes / this.logicalBlockBytes;
    const count = (toBytes - fromBytes) / this.logicalBlockBytes;
    const ones = count === 32 ? 0xffff_ffff : 2 ** count - 1;
    return (ones << first) >>> 0;
  }
}

export interface SpareShape {
  readonly sizeBytes: number;
  /** First global spare unit number of this spare. */
  readonly firstUnit: number;
  /** The last ones may lie behind the end of the device (`format/layout.ts`). */
  readonly unitCount: number;
}
