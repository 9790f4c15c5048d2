import { placesOf } from '../check-at-rest.js';
import { isReserved } from '../free-units.js';
import type { Lives } from '../lives.js';
import { placeOfUnit, readExisting, type SetOnDisk } from '../metadata-reader.js';
import type { RunParts } from '../run-parts.js';
import type { TurnsStep } from './turns-step.js';

/**
 * Moves a unit about on the spares, alone, until its move count is `lastCount`, and then once more, which is under way
 * afterwards: of two places that claim a unit the later one counts also where the count begins again.
 */
export class Turns {
  readonly #parts: RunParts;
  readonly #lives: Lives;

  constructor(parts: RunParts, lives: Lives) {
    this.#parts = parts;
    this.#lives = lives;
  }

  carryOut({ unit: drawn, lastCount }: TurnsStep): void {
    this.#lives.settle();
    const units = [...placesOf(this.#set()).keys()];
    if (units.length === 0 || this.#parts.mayHoldMore()) return;
    const unit = units[drawn % units.length]!;
    this.#pointAt(unit);
    const { events, shifting } = this.#parts;
    for (let count = 0; this.#countOf(unit) !== lastCount; count += 1) {
      if (count === COUNTS || !this.#move(unit)) return;
      events.until(() => shifting.pendingCount === 0, 'a move');
    }
    this.#move(unit);
  }

  /** Requests are to meet there. */
  #pointAt(unit: number): void {
    const { scenario, faultParts } = this.#parts;
    faultParts.aim.pointAt((unit * scenario.unitBytes) / scenario.blockBytes);
  }

  /** False: there is no place for it, or it is not on a spare. */
  #move(unit: number): boolean {
    const place = this.#countOf(unit) === undefined ? undefined : this.#freePlace();
    if (place === undefined || this.#parts.mayHoldMore()) return false;
    this.#parts.shifting.move(unit, place);
    return true;
  }

  #countOf(unit: number): number | undefined {
    return placesOf(this.#set()).get(unit)?.moveCount;
  }

  #freePlace(): number | undefined {
    const { superblock, mappings, retired } = this.#set();
    const used = new Set([...mappings.map(({ spareUnit }) => spareUnit), ...retired]);
    for (const { firstUnit, unitCount } of superblock.spares)
      for (let place = firstUnit; place < firstUnit + unitCount; place += 1)
        if (!used.has(place) && this.#isGood(superblock, place)) return place;
    return undefined;
  }

  #isGood(superblock: SetOnDisk['superblock'], place: number): boolean {
    const { spareIndex, offsetBytes } = placeOfUnit(superblock, place);
    if (isReserved(superblock, spareIndex, offsetBytes)) return false;
    const { faults } = this.#parts.machine.spares[spareIndex]!;
    const { blockBytes, unitBytes } = superblock;
    const first = offsetBytes / blockBytes;
    return Array.from({ length: unitBytes / blockBytes }).every((_, nth) => faults.flags(first + nth) === 0);
  }

  #set(): SetOnDisk {
    return readExisting(this.#parts.machine.spareBytes);
  }
}

/** Different move counts. */
const COUNTS = 256;
