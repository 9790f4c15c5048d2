import { ERRNO } from '../base/errno.js';
import { placesOf } from './check-at-rest.js';
import { check } from './check-failure.js';
import type { Lives } from './lives.js';
import { readExisting } from './metadata-reader.js';
import { readAlone } from './read-alone.js';
import type { RunParts } from './run-parts.js';

/** A block of the main device that is given at a later try only, and is read once, with nothing else under way. */
export interface WeakStep {
  readonly kind: 'weak';
  /** Modulo the blocks that there are. */
  readonly block: number;
}

/** What is saved in the end is returned, and moved to a spare before the disk loses it for good (P4). */
export class WeakUnits {
  readonly #parts: RunParts;
  readonly #lives: Lives;

  constructor(parts: RunParts, lives: Lives) {
    this.#parts = parts;
    this.#lives = lives;
  }

  read(step: WeakStep): void {
    this.#lives.settle();
    const { machine, model, mayHoldMore } = this.#parts;
    const { unitBytes, blockBytes } = machine.scenario;
    const block = step.block % model.blockCount;
    const unit = Math.floor((block * blockBytes) / unitBytes);
    // Of a commit that failed the process may go by less than the disks hold.
    if (mayHoldMore() || this.#isOnSpare(unit) || this.#isBad(unit)) return;
    machine.disks[0]!.faults.failNextTimes(block, 'read', FAILURES, ERRNO.ENODATA);
    const { errno } = readAlone(this.#parts, block, 1);
    check(errno === 0, 'readError', `block ${block} can be read, and is not`);
    this.#lives.settle();
    if (this.#mayStay()) return;
    check(this.#isOnSpare(unit), 'unmoved', `unit ${unit} was hard to read, and is where it was`);
  }

  #isOnSpare(unit: number): boolean {
    return placesOf(readExisting(this.#parts.machine.spareBytes)).has(unit);
  }

  #isBad(unit: number): boolean {
    const { machine, model } = this.#parts;
    const { faults } = machine.disks[0]!;
    const count = machine.scenario.unitBytes / machine.scenario.blockBytes;
    const blocks = Array.from({ length: count }, (_, nth) => unit * count + nth);
    return blocks.some((block) => block < model.blockCount && faults.flags(block) !== 0);
  }

  /** Somebody wants it to fail more often, or there was no place for it at some time. */
  #mayStay(): boolean {
    const { machine, told, settings } = this.#parts;
    return !settings.movesAtOnce || !told.isAllRemembered(machine.life!.device!.context.totalCounters());
  }
}

/** The request itself, that of its unit, and the first of what is tried block by block. */
const FAILURES = 3;
