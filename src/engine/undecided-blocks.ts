import type { DeviceShape } from './device-shape.js';

/** Logical blocks with a write that has failed: it may have happened in part, and nobody knows what they hold. */
export class UndecidedBlocks {
  /** By main unit: its blocks, as bits. */
  readonly #masks = new Map<number, number>();

  /** False: there are too many. */
  add(shape: DeviceShape, offsetBytes: number, lengthBytes: number): boolean {
    for (const [mainUnit, mask] of unitsOf(shape, offsetBytes, lengthBytes)) {
      if (this.#masks.size >= MAX_UNITS && !this.#masks.has(mainUnit)) return false;
      this.#masks.set(mainUnit, this.of(mainUnit) | mask);
    }
    return true;
  }

  /** They were written, or what they hold was found out. */
  settle(shape: DeviceShape, offsetBytes: number, lengthBytes: number): void {
    if (this.#masks.size === 0) return;
    for (const [mainUnit, mask] of unitsOf(shape, offsetBytes, lengthBytes)) {
      const left = this.of(mainUnit) & ~mask;
      if (left === 0) this.#masks.delete(mainUnit);
      else this.#masks.set(mainUnit, left);
    }
  }

  of(mainUnit: number): number {
    return this.#masks.get(mainUnit) ?? 0;
  }

  clear(): void {
    this.#masks.clear();
  }
}

function* unitsOf(
  shape: DeviceShape,
  offsetBytes: number,
  lengthBytes: number,
): Generator<[mainUnit: number, mask: number], void, undefined> {
  const { unitBytes } = shape;
  const end = offsetBytes + lengthBytes;
  for (let at = offsetBytes; at < end; ) {
    const mainUnit = Math.floor(at / unitBytes);
    const next = Math.min(end, (mainUnit + 1) * unitBytes);
    yield [mainUnit, shape.blockMask(at - mainUnit * unitBytes, next - mainUnit * unitBytes)];
    at = next;
  }
}

/** Of a device that is gone every write may fail. */
const MAX_UNITS = 65_536;
