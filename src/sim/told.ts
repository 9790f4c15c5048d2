import type { DeviceEvent } from '../device/device-event.js';
import { Counter, type CounterName, type Counters, newCounters } from '../engine/counters.js';
import { placesOf } from './check-at-rest.js';
import { check } from './check-failure.js';
import type { MappingOnDisk, SetOnDisk } from './metadata-reader.js';
import { onesIn } from './ones-in.js';
import { ToldReasons } from './told-reasons.js';

/**
 * What a process has told of its map, against what the disks say: nobody finds a unit on a spare, a block lost or a place
 * retired of which nobody was told. Where a commit has failed the disks may hold what nobody stands for.
 */
export class Told {
  /** As the process found it; undefined: it is not at work yet. */
  #found: SetOnDisk | undefined;
  /** By spare unit, the units that were said to move there. */
  readonly #moved = new Map<number, Set<number>>();
  /** By unit: its blocks that were said to be lost. */
  readonly #lost = new Map<number, number>();
  readonly #retired = new Set<number>();
  #mayHoldMore = false;
  /** The same, of those that were said to be written again. */
  readonly #regained = new Map<number, number>();
  #toldLostBlocks = 0;
  #toldRegainedBlocks = 0;
  #toldRetirements = 0;
  readonly #reasons = new ToldReasons();
  /** When the process started. */
  #before: Counters = newCounters();

  newLife(): void {
    this.#found = undefined;
    this.#moved.clear();
    this.#lost.clear();
    this.#retired.clear();
    this.#regained.clear();
    this.#reasons.newLife();
    this.#mayHoldMore = false;
    this.#toldLostBlocks = 0;
    this.#toldRegainedBlocks = 0;
    this.#toldRetirements = 0;
  }

  /** The process is at work. */
  started(found: SetOnDisk, counters: Counters): void {
    this.#found = found;
    this.#before = counters.slice();
  }

  hear(event: DeviceEvent): void {
    this.#reasons.hear(event);
    if (event.kind === 'commitFailed') this.#mayHoldMore = true;
    if (event.kind === 'spareUnitRetired') {
      this.#retired.add(event.spareUnit);
      this.#toldRetirements += 1;
    }
    if (event.kind === 'lost') {
      addTo(this.#lost, event);
      this.#toldLostBlocks += onesIn(event.lostMask);
    }
    if (event.kind === 'regained') {
      addTo(this.#regained, event);
      this.#toldRegainedBlocks += onesIn(event.lostMask);
    }
    if (event.kind === 'remapped') {
      const units = this.#moved.get(event.spareUnit) ?? new Set();
      this.#moved.set(event.spareUnit, units.add(event.mainUnit));
    }
  }

  /** Whatever was found to be lost has had a place where that could be noted, so far. */
  isAllRemembered(counters: Counters): boolean {
    return !this.#mayHoldMore && this.#growthOf('writesWithoutSpare', counters) === 0;
  }

  /** Nothing is under way. */
  check(set: SetOnDisk, counters: Counters): void {
    if (this.#mayHoldMore || this.#found === undefined) return;
    this.#checkCounter('blocksLost', counters, this.#toldLostBlocks);
    this.#checkCounter('blocksRegained', counters, this.#toldRegainedBlocks);
    this.#checkCounter('spareUnitsRetired', counters, this.#toldRetirements);
    const found = placesOf(this.#found);
    const foundAt = new Map(this.#found.mappings.map(({ spareUnit, mainUnit }) => [spareUnit, mainUnit]));
    for (const [unit, mapping] of placesOf(set)) {
      const { spareUnit } = mapping;
      const isKnown = foundAt.get(spareUnit) === unit || this.#moved.get(spareUnit)?.has(unit) === true;
      check(isKnown, 'untold', `nobody was told that unit ${unit} is in spare unit ${spareUnit} now`);
      this.#checkLost(unit, mapping, found.get(unit));
      this.#reasons.check(mapping);
    }
    const retiredBefore = new Set(this.#found.retired);
    for (const place of set.retired) {
      // A place that its unit has left: that was told of the unit.
      const wasLeft = foundAt.has(place) || this.#moved.has(place);
      const isKnown = retiredBefore.has(place) || this.#retired.has(place) || wasLeft;
      check(isKnown, 'untold', `nobody was told that spare unit ${place} is retired`);
    }
  }

  #checkCounter(name: CounterName, counters: Counters, told: number): void {
    const counted = this.#growthOf(name, counters);
    check(counted === told, 'counters', `${name} has grown by ${counted}, and ${told} were told of`);
  }

  #growthOf(name: CounterName, counters: Counters): number {
    return counters[Counter[name]]! - this.#before[Counter[name]]!;
  }

  #checkLost(unit: number, { lostMask }: MappingOnDisk, before: MappingOnDisk | undefined): void {
    const known = (before?.lostMask ?? 0) | (this.#lost.get(unit) ?? 0);
    const untold = lostMask & ~known;
    check(
      untold === 0,
      'untold',
      `nobody was told that blocks of unit ${unit} are lost: ${untold.toString(2)}`,
    );
    const wrong = known & ~(lostMask | (this.#regained.get(unit) ?? 0));
    check(
      wrong === 0,
      'untold',
      `blocks of unit ${unit} are lost no more, and nobody says so: ${wrong.toString(2)}`,
    );
  }
}

function addTo(masks: Map<number, number>, { mainUnit, lostMask }: LossEvent): void {
  masks.set(mainUnit, (masks.get(mainUnit) ?? 0) | lostMask);
}

type LossEvent = Extract<DeviceEvent, { readonly kind: 'lost' | 'regained' }>;
