import { ERRNO, errnoName } from '../../base/errno.js';
import { placesOf } from '../check-at-rest.js';
import { check } from '../check-failure.js';
import { placeOfUnit, readExisting, type SetOnDisk } from '../metadata-reader.js';
import type { ByHandParts } from './by-hand.js';
import { drawnPlace } from './drawn-place.js';
import type { ShiftStep } from './shift-step.js';

/** Units that are moved about on the spares while the set is in use: each is where it was to go, or stays for a reason. */
export class Shifting {
  readonly #parts: ByHandParts;
  #lifeNumber = 0;
  readonly #pending = new Set<Shift>();

  constructor(parts: ByHandParts) {
    this.#parts = parts;
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  begin(step: ShiftStep): void {
    const units = [...placesOf(this.#set()).keys()];
    if (units.length === 0) return;
    const place = drawnPlace(this.#parts.machine.layout!.spares, step.place);
    this.move(units[step.unit % units.length]!, place);
  }

  /** One that lives on a spare. */
  move(unit: number, place: number): void {
    const { machine, ledger } = this.#parts;
    const { spareUnit } = placesOf(this.#set()).get(unit)!;
    const shift = {
      unit,
      place,
      failedIoCount: ledger.failedIoCount,
      startedAtUs: machine.clock.nowUs,
    };
    const lifeNumber = this.#lifeNumber;
    this.#pending.add(shift);
    this.noteMoved(unit, spareUnit);
    machine.life!.shift(unit, place, (errno) => {
      if (lifeNumber !== this.#lifeNumber) return;
      this.#pending.delete(shift);
      this.#judge(shift, errno);
    });
  }

  /** It lives there now, and may be moved away by a shift that waits. */
  noteMoved(unit: number, spareUnit: number): void {
    const { machine, ledger } = this.#parts;
    if (![...this.#pending].some((shift) => shift.unit === unit)) return;
    const { spareIndex, offsetBytes } = placeOfUnit(this.#set().superblock, spareUnit);
    ledger.noteShiftFrom(machine.spares[spareIndex]!, offsetBytes);
  }

  /** The process is gone: there will be no answers. */
  forget(): void {
    this.#lifeNumber += 1;
    this.#pending.clear();
  }

  #judge({ unit, place, failedIoCount, startedAtUs }: Shift, errno: number): void {
    const { log, excuses, ledger, statistics, mayHoldMore, mayRefuseWrites } = this.#parts;
    const what = `shift of unit ${unit} to spare unit ${place}`;
    log?.(`${what} -> ${errno === 0 ? 'done' : errnoName(errno)}`);
    const mapping = placesOf(this.#set()).get(unit);
    if (errno === 0) {
      statistics.shifts += 1;
      return check(mapping?.spareUnit === place, 'byHand', `${what}: the disks say ${mapping?.spareUnit}`);
    }
    // The disks may say more than the device goes by, and devices may be taken for gone.
    if (mayHoldMore() || excuses.outageSince(startedAtUs) || excuses.flushFailedSince(startedAtUs)) return;
    const hasFailed = ledger.failedIoCount > failedIoCount;
    switch (errno) {
      case ERRNO.ENOENT:
        return check(mapping === undefined, 'byHand', `${what} fails, and the unit is on a spare`);
      case ERRNO.EBUSY:
        return;
      case ERRNO.ENODATA:
        return check(hasFailed, 'byHand', `${what} fails, and no I/O has failed`);
      default: {
        const isExcused = errno === ERRNO.EIO && (hasFailed || mayRefuseWrites());
        return check(isExcused, 'byHand', `${what} fails with ${errnoName(errno)}, and no I/O has failed`);
      }
    }
  }

  #set(): SetOnDisk {
    return readExisting(this.#parts.machine.spareBytes);
  }
}

interface Shift {
  readonly unit: number;
  readonly place: number;
  /** Of the ledger, when it began. */
  readonly failedIoCount: number;
  readonly startedAtUs: number;
}
