import { ERRNO } from '../base/errno.js';
import { placesOf } from './check-at-rest.js';
import { check } from './check-failure.js';
import type { Lives } from './lives.js';
import { placeOfUnit, readExisting, type SetOnDisk } from './metadata-reader.js';
import { readAlone } from './read-alone.js';
import type { RunParts } from './run-parts.js';
import type { SimDisk } from './sim-disk.js';

/** A block that is given at a later try only, and is read once, with nothing else under way. */
export interface WeakStep {
  readonly kind: 'weak';
  /** Of a unit that lives on a spare just now, if any does; else of one that lives on the main device. */
  readonly isOnSpare: boolean;
  /** Modulo the blocks, or units on spares, that there are. */
  readonly block: number;
}

/** What is saved in the end is returned, and moved to another place before the disk loses it for good (P4). */
export class WeakUnits {
  readonly #parts: RunParts;
  readonly #lives: Lives;

  constructor(parts: RunParts, lives: Lives) {
    this.#parts = parts;
    this.#lives = lives;
  }

  read(step: WeakStep): void {
    this.#lives.settle();
    // Of a commit that failed the process may go by less than the disks hold.
    const weak = this.#parts.mayHoldMore() ? undefined : this.#find(step);
    if (weak === undefined || this.#isBad(weak)) return;
    const times = Math.min(this.#timesUntilMove(weak), TIMES_MAX);
    // It may have been hard to read before.
    for (let time = 0; time < times && !this.#hasMoved(weak); time += 1) this.#readOnce(weak);
    if (!this.#mayStay(weak)) this.#checkMoved(weak);
  }

  #readOnce({ disk, placeBlock, block }: WeakBlock): void {
    disk.faults.failNextTimes(placeBlock, 'read', FAILURES, ERRNO.ENODATA);
    const { errno } = readAlone(this.#parts, block, 1);
    check(errno === 0, 'readError', `block ${block} can be read, and is not`);
    this.#lives.settle();
  }

  /** What its settings say goes for units on the main device. */
  #timesUntilMove({ spareUnit }: WeakBlock): number {
    return spareUnit === -1 ? this.#parts.settings.readsUntilMove : 1;
  }

  #hasMoved({ unit, spareUnit }: WeakBlock): boolean {
    const mapping = placesOf(this.#set()).get(unit);
    return mapping !== undefined && mapping.spareUnit !== spareUnit;
  }

  #find({ isOnSpare, block }: WeakStep): WeakBlock | undefined {
    return isOnSpare ? this.#onSpare(block) : this.#onMain(block);
  }

  #onMain(drawn: number): WeakBlock | undefined {
    const { machine, model } = this.#parts;
    const block = drawn % model.blockCount;
    const unit = Math.floor(block / this.#blocksPerUnit);
    const weak = { unit, block, disk: machine.disks[0]!, placeBlock: block, spareUnit: -1 };
    return placesOf(this.#set()).has(unit) ? undefined : weak;
  }

  /** Of a unit all of whose blocks have contents. */
  #onSpare(drawn: number): WeakBlock | undefined {
    const { machine, model } = this.#parts;
    const set = this.#set();
    const whole = [...placesOf(set)].filter(([, { lostMask }]) => lostMask === 0);
    if (whole.length === 0) return undefined;
    const [unit, { spareUnit }] = whole[drawn % whole.length]!;
    const { spareIndex, offsetBytes } = placeOfUnit(set.superblock, spareUnit);
    const within = drawn % this.#blocksPerUnit;
    const block = unit * this.#blocksPerUnit + within;
    if (block >= model.blockCount) return undefined;
    const placeBlock = offsetBytes / machine.scenario.blockBytes + within;
    return { unit, block, disk: machine.spares[spareIndex]!, placeBlock, spareUnit };
  }

  #checkMoved(weak: WeakBlock): void {
    const { unit, spareUnit } = weak;
    check(this.#hasMoved(weak), 'unmoved', `unit ${unit} was hard to read, and is where it was`);
    const isLeft = spareUnit === -1 || this.#set().retired.includes(spareUnit) || this.#parts.mayHoldMore();
    check(isLeft, 'unmoved', `spare unit ${spareUnit} was hard to read, and serves other units`);
  }

  get #blocksPerUnit(): number {
    const { unitBytes, blockBytes } = this.#parts.machine.scenario;
    return unitBytes / blockBytes;
  }

  #isBad({ disk, placeBlock }: WeakBlock): boolean {
    const first = placeBlock - (placeBlock % this.#blocksPerUnit);
    const blocks = Array.from({ length: this.#blocksPerUnit }, (_, nth) => first + nth);
    const end = disk.geometry.sizeBytes / this.#parts.machine.scenario.blockBytes;
    return blocks.some((block) => block < end && disk.faults.flags(block) !== 0);
  }

  /** Somebody wants it to fail more often, or there was no place for it at some time. */
  #mayStay(weak: WeakBlock): boolean {
    const { machine, told } = this.#parts;
    if (this.#timesUntilMove(weak) > TIMES_MAX) return true;
    return !told.isAllRemembered(machine.life!.device!.context.totalCounters());
  }

  #set(): SetOnDisk {
    return readExisting(this.#parts.machine.spareBytes);
  }
}

interface WeakBlock {
  readonly unit: number;
  readonly block: number;
  readonly disk: SimDisk;
  /** On that disk. */
  readonly placeBlock: number;
  /** -1: the main device has it. */
  readonly spareUnit: number;
}

/** The request itself, that of its unit, and the first of what is tried block by block. */
const FAILURES = 3;
/** So often at most a block is read here. */
const TIMES_MAX = 3;
