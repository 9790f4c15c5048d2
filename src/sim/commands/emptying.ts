import { ERRNO, errnoName } from '../../base/errno.js';
import { placesOf } from '../check-at-rest.js';
import { check } from '../check-failure.js';
import { placeOfUnit, readExisting } from '../metadata-reader.js';
import type { ByHandParts } from './by-hand.js';
import type { EmptyStep } from './spare-step.js';

/** Spares that are emptied while the set is in use: what has left one lives on another, and what stays has a reason. */
export class Emptying {
  readonly #parts: ByHandParts;
  #lifeNumber = 0;
  readonly #pending = new Set<Move>();
  /** By spare: until when it took nothing new; for ever, if it still does not. */
  readonly #leavingUntilUs = new Map<number, number>();

  constructor(parts: ByHandParts) {
    this.#parts = parts;
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  begin({ spare, limit, acceptsLoss, keeps }: EmptyStep): void {
    const { machine } = this.#parts;
    if (machine.spares.length === 1) return;
    const spareIndex = spare % machine.spares.length;
    const life = machine.life!;
    const takesUnits = (index: number): boolean => index !== spareIndex && !this.#isLeaving(index);
    // The command is refused: a write would have no place.
    if (![...machine.spares.keys()].some(takesUnits)) return;
    life.setLeaving(spareIndex, true);
    this.#leavingUntilUs.set(spareIndex, Number.POSITIVE_INFINITY);
    const units = [...this.#placesOn(spareIndex)].slice(0, limit);
    const stay = (): void => {
      life.setLeaving(spareIndex, false);
      this.#leavingUntilUs.set(spareIndex, machine.clock.nowUs);
    };
    let left = units.length;
    if (left === 0 && keeps) stay();
    for (const [unit, place] of units)
      this.#move({ unit, place, spareIndex, acceptsLoss }, () => {
        left -= 1;
        if (left === 0 && keeps) stay();
      });
  }

  /** It lives there now, and may wait to be moved away from there: cut off behind the move, a start retires that place. */
  noteMoved(unit: number, spareUnit: number): void {
    const { machine, ledger } = this.#parts;
    const moves = [...this.#pending].filter((move) => move.unit === unit);
    if (moves.length === 0) return;
    const { superblock } = readExisting(machine.spareBytes);
    const { spareIndex, offsetBytes } = placeOfUnit(superblock, spareUnit);
    if (moves.some((move) => move.spareIndex === spareIndex))
      ledger.noteShiftFrom(machine.spares[spareIndex]!, offsetBytes);
  }

  /** Spares that took nothing new at some time since then, in this life of the process. */
  leavingSince(startUs: number): ReadonlySet<number> {
    return new Set(
      [...this.#leavingUntilUs].filter(([, untilUs]) => untilUs >= startUs).map(([index]) => index),
    );
  }

  /** Nothing is under way: the process keeps from those spares which are to be emptied, and from no other. */
  checkAtRest(): void {
    const { machine } = this.#parts;
    const { suspension } = machine.life!.device!.context;
    for (const spareIndex of machine.spares.keys()) {
      const isKept = suspension.isLeaving(spareIndex) === this.#isLeaving(spareIndex);
      check(isKept, 'byHand', `whether spare ${spareIndex} takes units is not what it was told`);
    }
  }

  #isLeaving(spareIndex: number): boolean {
    return this.#leavingUntilUs.get(spareIndex) === Number.POSITIVE_INFINITY;
  }

  /** The process is gone: there will be no answers. */
  forget(): void {
    this.#lifeNumber += 1;
    this.#pending.clear();
    this.#leavingUntilUs.clear();
  }

  #move(wanted: Omit<Move, 'failedIoCount' | 'startedAtUs'>, done: () => void): void {
    const { machine, ledger } = this.#parts;
    const lifeNumber = this.#lifeNumber;
    const move = { ...wanted, failedIoCount: ledger.failedIoCount, startedAtUs: machine.clock.nowUs };
    const { unit, place, spareIndex, acceptsLoss } = move;
    this.#pending.add(move);
    this.noteMoved(unit, place);
    machine.life!.moveAway(unit, spareIndex, acceptsLoss, (errno) => {
      if (lifeNumber !== this.#lifeNumber) return;
      this.#pending.delete(move);
      this.#judge(move, errno);
      done();
    });
  }

  #judge({ unit, place, spareIndex, acceptsLoss, failedIoCount, startedAtUs }: Move, errno: number): void {
    const { log, excuses, ledger, mayBeFull, mayHoldMore, mayRefuseWrites } = this.#parts;
    const what = `moving unit ${unit} from spare ${spareIndex}`;
    log?.(`${what} -> ${errno === 0 ? 'done' : errnoName(errno)}`);
    // The disks may say more than the device goes by, and devices may be taken for gone.
    if (mayHoldMore() || excuses.outageSince(startedAtUs) || excuses.flushFailedSince(startedAtUs)) return;
    const isStill = this.#placesOn(spareIndex).has(unit);
    const hasFailed = ledger.failedIoCount > failedIoCount;
    if (errno === 0 && !hasFailed && !ledger.hadDoubtfulCommit && !this.#hasFailedAt(place))
      check(!this.#isRetired(place), 'burntSpare', `${what}: its place is retired, and was good`);
    switch (errno) {
      case 0:
      case ERRNO.ENOENT:
        return check(!isStill || !this.#isLeaving(spareIndex), 'byHand', `${what}: it is still there`);
      case ERRNO.ENODATA:
        return check(!acceptsLoss && hasFailed, 'byHand', `${what} fails, and nothing of it is lost`);
      case ERRNO.ENOSPC:
        return check(mayBeFull(startedAtUs), 'byHand', `${what} fails, and there are places left`);
      default: {
        const isExcused = errno === ERRNO.EIO && (hasFailed || mayRefuseWrites());
        return check(isExcused, 'byHand', `${what} fails with ${errnoName(errno)}, and no I/O has failed`);
      }
    }
  }

  /** It may have failed before: what lived there was on its way to another place already. */
  #hasFailedAt(place: number): boolean {
    const { machine, ledger } = this.#parts;
    const { superblock } = readExisting(machine.spareBytes);
    const { spareIndex, offsetBytes } = placeOfUnit(superblock, place);
    return ledger.hasFailedAt(machine.spares[spareIndex]!, offsetBytes);
  }

  #isRetired(place: number): boolean {
    return readExisting(this.#parts.machine.spareBytes).retired.includes(place);
  }

  /** By unit, its place on this spare. */
  #placesOn(spareIndex: number): ReadonlyMap<number, number> {
    const set = readExisting(this.#parts.machine.spareBytes);
    return new Map(
      [...placesOf(set)].flatMap(([unit, { spareUnit }]) =>
        placeOfUnit(set.superblock, spareUnit).spareIndex === spareIndex ? [[unit, spareUnit] as const] : [],
      ),
    );
  }
}

interface Move {
  readonly unit: number;
  /** Where it lives when it begins. */
  readonly place: number;
  readonly spareIndex: number;
  readonly acceptsLoss: boolean;
  /** Of the ledger, when it began. */
  readonly failedIoCount: number;
  readonly startedAtUs: number;
}
