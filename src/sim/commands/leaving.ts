import { ERRNO } from '../../base/errno.js';
import { versionAt } from '../block-pattern.js';
import { placesOf } from '../check-at-rest.js';
import { check } from '../check-failure.js';
import { BlockFlag } from '../disk-faults.js';
import type { Lives } from '../lives.js';
import { readExisting } from '../metadata-reader.js';
import type { RunParts } from '../run-parts.js';
import type { LeaveStep } from './evacuation-step.js';

/** Every unit that lives on a spare is given back, one after the other, until none is left or one is refused. */
export class Leaving {
  readonly #parts: RunParts;
  readonly #lives: Lives;

  constructor(parts: RunParts, lives: Lives) {
    this.#parts = parts;
    this.#lives = lives;
  }

  begin({ isAlone, events }: LeaveStep): void {
    if (isAlone) return this.#leave();
    this.#pass(PASSES_MAX, () => {});
    this.#parts.events.fire(events);
  }

  /** The process is stopped when everything is back, and the main device is used by itself from then on. */
  #leave(): void {
    const { events, machine, statistics } = this.#parts;
    this.#lives.settle();
    let isBack: boolean | undefined;
    this.#pass(PASSES_MAX, (isDone) => {
      isBack = isDone;
    });
    events.until(() => isBack !== undefined, 'a leave');
    if (isBack !== true) return;
    this.#lives.without('stop', () => {
      // A block may have failed until the last moment.
      if (placesOf(readExisting(machine.spareBytes)).size > 0) return;
      statistics.leaves += 1;
      this.#checkMain();
    });
  }

  /** `over` hears whether none is left. What has moved meanwhile is given back as well, so many times at most. */
  #pass(passesLeft: number, over: (isBack: boolean) => void): void {
    const units = [...placesOf(readExisting(this.#parts.machine.spareBytes)).keys()];
    if (units.length === 0 || passesLeft === 0) return over(units.length === 0);
    this.#release(units, (refusedCount) =>
      refusedCount === 0 ? this.#pass(passesLeft - 1, over) : over(false),
    );
  }

  /** One after the other. Answers may come at once: a loop, or the stack would grow with every unit. */
  #release(units: readonly number[], over: (refusedCount: number) => void): void {
    let refusedCount = 0;
    let nextIndex = 0;
    let isLooping = false;
    let isReady = true;
    const goOn = (): void => {
      if (isLooping) return;
      isLooping = true;
      while (isReady && nextIndex < units.length) {
        isReady = false;
        this.#parts.byHand.release(units[nextIndex++]!, (errno) => {
          if (errno !== 0 && errno !== ERRNO.ENOENT) refusedCount += 1;
          isReady = true;
          goOn();
        });
      }
      isLooping = false;
      if (isReady) over(refusedCount);
    };
    goOn();
  }

  /** Without a map it holds everything, but for blocks that went bad and that nobody has noticed. */
  #checkMain(): void {
    const { machine, model, scenario } = this.#parts;
    const { blockBytes } = scenario;
    const main = machine.disks[0]!;
    for (let block = 0; block < model.blockCount; block += 1) {
      const isReadable = !main.faults.has(block, BlockFlag.unreadable);
      check(isReadable || model.mayBeLost(block), 'byHand', `block ${block} is left in a bad place`);
      const held = versionAt(main.view, block * blockBytes, blockBytes, block);
      const isRight = model.mayHold(block, held) || model.mayBeLost(block);
      check(isRight, 'byHand', `block ${block} is left as version ${held}; ${model.describe(block)}`);
    }
  }
}

/** Places that are in doubt are named by the disks, and the device knows nothing of them. */
const PASSES_MAX = 3;
