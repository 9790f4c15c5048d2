import { unreachable } from '../base/assert.js';
import { DescriptorState } from '../format/descriptor-page.js';
import type { DeviceShape, SpareShape } from './device-shape.js';
import type { RemapTable } from './remap-table.js';
import { GROUP_UNITS, type SpareAllocator } from './spare-allocator.js';

/** In which order a person wants places to be given (setting `allocation_policy`). */
export type AllocationPolicy = 'sequential' | 'near' | 'spread' | 'balance';

/** Which spare a unit goes to, and where on it. May be told another policy at any time: what has a place keeps it. Pure. */
export class Placement {
  policy: AllocationPolicy = 'sequential';
  readonly #shape: DeviceShape;
  readonly #table: RemapTable;
  readonly #allocator: SpareAllocator;
  /** `spread`: the spare that took the last unit, and by spare the place behind its last one. */
  #lastSpare = -1;
  readonly #behindLast: number[];
  /** `balance`: by spare, units that are retired, as of when there were `#countedRetired` in all. */
  #retiredCounts: readonly number[] = [];
  #countedRetired = -1;

  constructor(shape: DeviceShape, table: RemapTable, allocator: SpareAllocator) {
    this.#shape = shape;
    this.#table = table;
    this.#allocator = allocator;
    this.#behindLast = shape.spares.map((spare) => spare.firstUnit);
  }

  /** All spares, the one to try first first. */
  spareOrder(mainUnit: number): readonly number[] {
    const spares = [...this.#shape.spares.keys()];
    switch (this.policy) {
      case 'sequential':
        return spares;
      case 'near':
        return withFirst(spares, this.#spareOfNeighbour(mainUnit));
      case 'spread':
        return spares.map((nth) => (this.#lastSpare + 1 + nth) % spares.length);
      case 'balance':
        return spares
          .map((spareIndex) => ({ spareIndex, room: this.#roomOn(spareIndex) }))
          .sort((one, other) => other.room - one.room)
          .map(({ spareIndex }) => spareIndex);
      default:
        return unreachable(this.policy);
    }
  }

  /** A free unit of this spare, taken now; -1 when there is none. */
  allocateOn(spareIndex: number, mainUnit: number): number {
    const spare = this.#shape.spares[spareIndex]!;
    const { firstUnit, unitCount } = spare;
    switch (this.policy) {
      case 'sequential':
      case 'balance':
        return this.#allocator.allocateIn(firstUnit, unitCount);
      case 'near':
        return this.#allocateNear(spare, mainUnit);
      case 'spread':
        return this.#allocator.allocateFrom(this.#behindLast[spareIndex]!, firstUnit, unitCount);
      default:
        return unreachable(this.policy);
    }
  }

  /** The unit has taken its data. */
  notePlaced(spareUnit: number): void {
    this.#lastSpare = this.#shape.spareIndexOf(spareUnit);
    this.#behindLast[this.#lastSpare] = spareUnit + 1;
  }

  /** Where the distance on the spare would be that on the main device; else in a group that has room for neighbours. */
  #allocateNear({ firstUnit, unitCount }: SpareShape, mainUnit: number): number {
    const isFree = (unit: number): boolean =>
      unit >= firstUnit && unit < firstUnit + unitCount && !this.#allocator.isTaken(unit);
    for (const distance of NEIGHBOURS) {
      const neighbour = this.#placeOf(mainUnit + distance);
      if (neighbour === -1 || !isFree(neighbour - distance)) continue;
      this.#allocator.take(neighbour - distance);
      return neighbour - distance;
    }
    const group = this.#allocator.firstFreeGroup(firstUnit, unitCount);
    if (group === -1) return this.#allocator.allocateIn(firstUnit, unitCount);
    const unit = group + (mainUnit % GROUP_UNITS);
    this.#allocator.take(unit);
    return unit;
  }

  #spareOfNeighbour(mainUnit: number): number | undefined {
    const distance = NEIGHBOURS.find((each) => this.#placeOf(mainUnit + each) !== -1);
    return distance === undefined ? undefined : this.#shape.spareIndexOf(this.#placeOf(mainUnit + distance));
  }

  #placeOf(mainUnit: number): number {
    return mainUnit < 0 ? -1 : this.#table.find(mainUnit);
  }

  /** The part of the spare that is free, less the part that went bad. */
  #roomOn(spareIndex: number): number {
    const { firstUnit, unitCount } = this.#shape.spares[spareIndex]!;
    return (this.#allocator.freeIn(firstUnit, unitCount) - this.#retiredOn(spareIndex)) / unitCount;
  }

  #retiredOn(spareIndex: number): number {
    const { retiredCount } = this.#table;
    if (this.#countedRetired !== retiredCount) {
      this.#retiredCounts = this.#shape.spares.map((spare) => this.#countRetired(spare));
      this.#countedRetired = retiredCount;
    }
    return this.#retiredCounts[spareIndex]!;
  }

  #countRetired({ firstUnit, unitCount }: SpareShape): number {
    let retired = 0;
    for (let unit = firstUnit; unit < firstUnit + unitCount; unit += 1)
      if (this.#table.state(unit) === DescriptorState.retired) retired += 1;
    return retired;
  }
}

/** The same, that one before the others. */
export function withFirst(spares: readonly number[], first: number | undefined): readonly number[] {
  return first === undefined ? spares : [first, ...spares.filter((each) => each !== first)];
}

/** Nearest first: -1, 1, -2, 2 ... */
const NEIGHBOURS: readonly number[] = Array.from({ length: GROUP_UNITS - 1 }, (_, nth) => nth + 1).flatMap(
  (distance) => [-distance, distance],
);
