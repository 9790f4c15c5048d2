import { ERRNO, errnoName } from '../../base/errno.js';
import type { BlockModel } from '../block-model.js';
import { versionAt } from '../block-pattern.js';
import { placesOf } from '../check-at-rest.js';
import { check } from '../check-failure.js';
import { BlockFlag } from '../disk-faults.js';
import { type FaultParts, injectFault } from '../inject-fault.js';
import { type MappingOnDisk, readExisting, type SetOnDisk } from '../metadata-reader.js';
import type { Statistics } from '../statistics.js';
import { drawnPlace } from './drawn-place.js';
import { type HandStep, WHERE_RELEASED } from './hand-step.js';

/**
 * Units that are moved and released by hand, and what was promised of them: what is acknowledged is durable and is
 * what the disks say, a released unit's data is on the main device, and what is refused has a reason.
 */
export class ByHand {
  readonly #parts: ByHandParts;
  readonly #pending = new Set<Command>();
  /** Moves that were acknowledged. Only a release may take a unit from a spare again. */
  readonly #moved = new Set<number>();
  #releasedPlace = -1;

  constructor(parts: ByHandParts) {
    this.#parts = parts;
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  begin(step: HandStep): void {
    const { aim } = this.#parts;
    const unit = this.#unitOf(step);
    aim.pointAt(unit * this.#blocksPerUnit);
    if (step.mainFlags !== 0) this.#goBad(unit, step);
    const { action } = step;
    const place = action === 'add' ? this.#placeOf(step) : -1;
    this.#send(action, unit, place, () => {});
  }

  /** `answered` hears 0 or an errno. */
  release(unit: number, answered: (errno: number) => void): void {
    this.#send('release', unit, -1, answered);
  }

  /** Nothing lives on a spare any more but what is lost in part. */
  newMain(): void {
    this.#moved.clear();
  }

  #send(action: HandStep['action'], unit: number, place: number, answered: (errno: number) => void): void {
    const { machine, ledger } = this.#parts;
    const { failedIoCount, badBlockCount } = ledger;
    const startedAtUs = machine.clock.nowUs;
    const command: Command = { action, unit, place, failedIoCount, badBlockCount, startedAtUs };
    this.#pending.add(command);
    if (action === 'add') ledger.noteReasonToMove(unit);
    else this.#releasedPlace = this.#placeNow(unit) ?? this.#releasedPlace;
    machine.life!.byHand(action, unit, place, (errno) => {
      this.#answered(command, errno);
      answered(errno);
    });
  }

  /** The process is gone: there will be no answers. */
  forget(): void {
    for (const { action, unit } of this.#pending) if (action === 'release') this.#moved.delete(unit);
    this.#pending.clear();
  }

  /** Nothing is under way. */
  checkAtRest(): void {
    const places = placesOf(this.#set());
    for (const unit of this.#moved)
      check(places.has(unit), 'byHand', `unit ${unit} was moved by hand, and is on no spare`);
  }

  #answered(command: Command, errno: number): void {
    check(this.#pending.delete(command), 'model', 'a command is answered once');
    const { log, statistics, ledger } = this.#parts;
    log?.(`${describe(command)} -> ${errno === 0 ? 'done' : errnoName(errno)}`);
    const mapping = placesOf(this.#set()).get(command.unit);
    if (command.action === 'release') this.#moved.delete(command.unit);
    if (errno !== 0) return this.#judgeRefusal(command, errno, mapping);
    if (command.action === 'add') {
      statistics.adds += 1;
      this.#moved.add(command.unit);
      return this.#checkMoved(command, mapping);
    }
    statistics.releases += 1;
    // From now on something has to go wrong before it is moved again.
    if (!this.#isToMove(command.unit)) ledger.forgetReasonToMove(command.unit);
    check(mapping === undefined, 'byHand', `unit ${command.unit} is released, and still on a spare`);
    this.#checkReleased(command);
  }

  #checkMoved({ unit, place }: Command, mapping: MappingOnDisk | undefined): void {
    check(mapping !== undefined, 'byHand', `unit ${unit} is moved by hand, and the disks do not say so`);
    const isThere = place === -1 || mapping.spareUnit === place;
    check(isThere, 'byHand', `unit ${unit} was to go to spare unit ${place}, not ${mapping.spareUnit}`);
  }

  /** The main device has the data, for good, and gives it again. */
  #checkReleased({ unit, badBlockCount }: Command): void {
    const { machine, model, ledger } = this.#parts;
    const { blockBytes } = machine.scenario;
    const main = machine.disks[0]!;
    const end = Math.min((unit + 1) * this.#blocksPerUnit, model.blockCount);
    for (let block = unit * this.#blocksPerUnit; block < end; block += 1) {
      const isReadable = !main.faults.has(block, BlockFlag.unreadable);
      check(
        isReadable || ledger.badBlockCount > badBlockCount,
        'byHand',
        `block ${block} is released to a bad place`,
      );
      const held = versionAt(main.view, block * blockBytes, blockBytes, block);
      const isRight = model.mayHold(block, held);
      check(isRight, 'byHand', `block ${block} is released as version ${held}; ${model.describe(block)}`);
      const stable = main.stableViewOf(block);
      const kept = stable === undefined ? held : versionAt(stable, 0, blockBytes, block);
      const isKept = model.mayHoldAfterPowerCut(block, kept);
      check(
        isKept,
        'byHand',
        `block ${block} is released, and durable as version ${kept}; ${model.describe(block)}`,
      );
    }
  }

  #judgeRefusal(command: Command, errno: number, mapping: MappingOnDisk | undefined): void {
    const { excuses, ledger, mayHoldMore, mayRefuseWrites, mayBeFull } = this.#parts;
    const what = `${describe(command)} fails with ${errnoName(errno)}`;
    // The disks may say more than the device goes by, and devices may be taken for gone.
    if (
      mayHoldMore() ||
      excuses.outageSince(command.startedAtUs) ||
      excuses.flushFailedSince(command.startedAtUs)
    )
      return;
    switch (errno) {
      case ERRNO.EEXIST:
        return check(
          command.action === 'add' && mapping !== undefined,
          'byHand',
          `${what}, and it is on no spare`,
        );
      case ERRNO.EBUSY:
        return check(command.place !== -1, 'byHand', `${what}, and no place was named`);
      case ERRNO.ENOSPC:
        return check(
          command.action === 'add' && mayBeFull(command.startedAtUs),
          'byHand',
          `${what}, and there are places left`,
        );
      case ERRNO.ENOENT:
        return check(
          command.action === 'release' && mapping === undefined,
          'byHand',
          `${what}, and it is on a spare`,
        );
      case ERRNO.ENODATA:
        return check(
          mapping !== undefined && mapping.lostMask !== 0,
          'byHand',
          `${what}, and nothing of it is lost`,
        );
      default: {
        const isExcused = ledger.failedIoCount > command.failedIoCount || mayRefuseWrites();
        return check(
          errno === ERRNO.EIO && isExcused,
          'byHand',
          `${what}, and no I/O has failed since it began`,
        );
      }
    }
  }

  #unitOf({ action, isAimed, unit }: HandStep): number {
    const unitCount = Math.ceil(this.#parts.model.blockCount / this.#blocksPerUnit);
    if (!isAimed) return unit % unitCount;
    if (action === 'add')
      return Math.min(unitCount - 1, Math.floor(this.#parts.aim.block / this.#blocksPerUnit));
    const moved = [...placesOf(this.#set()).keys()];
    return moved.length === 0 ? unit % unitCount : moved[unit % moved.length]!;
  }

  #placeNow(unit: number): number | undefined {
    return placesOf(this.#set()).get(unit)?.spareUnit;
  }

  #isToMove(wanted: number): boolean {
    return [...this.#pending].some(({ action, unit }) => action === 'add' && unit === wanted);
  }

  #placeOf({ place }: HandStep): number {
    const { spares } = this.#parts.machine.layout!;
    // A spare may have been removed since, and the places be fewer.
    const end = spares.at(-1)!.firstUnit + spares.at(-1)!.unitCount;
    if (place === WHERE_RELEASED) return this.#releasedPlace < end ? this.#releasedPlace : -1;
    if (place < 0) return -1;
    return drawnPlace(spares, place);
  }

  /** One block of the unit on the main device. */
  #goBad(unit: number, { unit: drawn, mainFlags: flags }: HandStep): void {
    const block = unit * this.#blocksPerUnit + (drawn % this.#blocksPerUnit);
    if (block >= this.#parts.model.blockCount) return;
    injectFault(this.#parts, { kind: 'bad', target: 0, isAimed: false, block, count: 1, flags });
  }

  #set(): SetOnDisk {
    return readExisting(this.#parts.machine.spareBytes);
  }

  get #blocksPerUnit(): number {
    const { unitBytes, blockBytes } = this.#parts.machine.scenario;
    return unitBytes / blockBytes;
  }
}

export interface ByHandParts extends FaultParts {
  readonly model: BlockModel;
  readonly statistics: Statistics;
  readonly log: ((line: string) => void) | undefined;
  readonly mayHoldMore: () => boolean;
  readonly mayRefuseWrites: () => boolean;
  readonly mayBeFull: (sinceUs: number) => boolean;
}

interface Command {
  readonly action: HandStep['action'];
  readonly unit: number;
  /** -1: anywhere. */
  readonly place: number;
  /** Of the ledger, when it began. */
  readonly failedIoCount: number;
  readonly badBlockCount: number;
  readonly startedAtUs: number;
}

function describe({ action, unit, place }: Command): string {
  return `${action} of unit ${unit}${place === -1 ? '' : ` to spare unit ${place}`}`;
}
