import { RegionFlag } from '../engine/region-filter.js';
import { type Descriptor, DescriptorState, isLaterMove } from '../format/descriptor-page.js';
import { pageOfUnit } from '../format/layout.js';
import { OUTDONE_PLACE } from './outdone-places.js';
import type { EmptySet } from './read-map.js';

/** Turns descriptors as they are read into remap table and allocator; refuses those that can't be. */
export class DescriptorIntake {
  /** Spare units whose descriptors contradict the layout. */
  readonly impossible: number[] = [];
  readonly supersededPages: number[] = [];
  readonly #set: EmptySet;
  readonly #mainUnitCount: number;

  constructor(set: EmptySet) {
    this.#set = set;
    this.#mainUnitCount = Math.ceil(set.shape.mainSizeBytes / set.shape.unitBytes);
  }

  /** `descriptor` is mapped or retired; the object is the caller's to reuse. */
  accept(spareUnit: number, descriptor: Descriptor): void {
    const { allocator, table } = this.#set;
    const isMapped = descriptor.state === DescriptorState.mapped;
    if (allocator.isTaken(spareUnit) || (isMapped && !this.#isPossible(descriptor))) {
      this.impossible.push(spareUnit);
      return;
    }
    allocator.take(spareUnit);
    if (isMapped) this.#acceptMapping(spareUnit, descriptor);
    else table.set(spareUnit, descriptor);
  }

  /** A crash between mapping a unit's new place and retiring the old one leaves two: the later move counts. */
  #acceptMapping(spareUnit: number, descriptor: Descriptor): void {
    const { table } = this.#set;
    const other = table.find(descriptor.mainUnit);
    if (other !== -1 && !isLaterMove(descriptor.moveCount, table.moveCount(other))) {
      this.#supersede(spareUnit);
      return;
    }
    table.set(spareUnit, descriptor);
    this.#set.filter.set(descriptor.mainUnit * this.#set.shape.unitBytes, 1, RegionFlag.remapped);
    if (other !== -1) this.#supersede(other);
  }

  #supersede(spareUnit: number): void {
    this.#set.table.set(spareUnit, OUTDONE_PLACE);
    this.supersededPages.push(pageOfUnit(spareUnit));
  }

  #isPossible({ mainUnit, lostMask }: Descriptor): boolean {
    const { shape } = this.#set;
    return mainUnit < this.#mainUnitCount && (lostMask & ~shape.fullLostMask) === 0;
  }
}
