import type { DeviceEvent } from '../device/device-event.js';
import { DescriptorReason } from '../format/descriptor-page.js';
import { placesOf } from './check-at-rest.js';
import { check } from './check-failure.js';
import type { Ledger } from './ledger.js';
import type { Machine } from './machine.js';
import { placeOfUnit, type SetOnDisk } from './metadata-reader.js';

/**
 * Units that leave their places on spares because these are said to be bad: a block of such a place has failed. That its
 * spare was gone is no reason (P7). What is known at the end of a run excuses more: then places may be retired after any
 * outage.
 */
export class PlacesLeft {
  readonly #machine: Machine;
  readonly #ledger: Ledger;
  /** By unit that lives on a spare. */
  readonly #places = new Map<number, number>();
  #superblock: SetOnDisk['superblock'] | undefined;

  constructor(machine: Machine, ledger: Ledger) {
    this.#machine = machine;
    this.#ledger = ledger;
  }

  newLife(): void {
    this.#superblock = undefined;
    this.#places.clear();
  }

  /** The process is at work. */
  started(found: SetOnDisk): void {
    this.#superblock = found.superblock;
    for (const [unit, { spareUnit }] of placesOf(found)) this.#places.set(unit, spareUnit);
  }

  hear(event: DeviceEvent): void {
    // From now on units move because nobody knows which of two places counts.
    if (event.kind === 'commitFailed') this.newLife();
    if (event.kind === 'givenBack') this.#places.delete(event.mainUnit);
    if (event.kind !== 'remapped' || this.#superblock === undefined) return;
    const { mainUnit, spareUnit, reason } = event;
    const left = this.#places.get(mainUnit);
    this.#places.set(mainUnit, spareUnit);
    if (left !== undefined && reason === DescriptorReason.spareError)
      this.#judge(this.#superblock, mainUnit, left);
  }

  #judge(superblock: SetOnDisk['superblock'], mainUnit: number, left: number): void {
    const { spareIndex, offsetBytes } = placeOfUnit(superblock, left);
    const hasReason = this.#ledger.hasFailedOrShifted(this.#machine.spares[spareIndex]!, offsetBytes);
    check(
      hasReason,
      'burntSpare',
      `unit ${mainUnit} has left spare unit ${left}, and no block of that ever failed`,
    );
  }
}
