import { ERRNO } from '../base/errno.js';
import type { ColdContext, Scratch } from '../engine/cold-context.js';
import type { Procedure } from '../engine/effect.js';
import { giveBack } from '../engine/give-back.js';
import { moveAway, retirePlaces } from '../engine/move-away.js';
import { moveByHand } from '../engine/move-by-hand.js';
import { moveOnSpares } from '../engine/move-on-spares.js';
import type { EffectRunner } from './effect-runner.js';
import type { WrittenSamples } from './written-samples.js';

/** Units that somebody moves, moves away, puts together or gives back by hand, one after the other, beside the requests of a device at work. */
export class UnitsByHand {
  readonly #parts: UnitsByHandParts;
  readonly #waiting: HandWork[] = [];
  #isBusy = false;
  #isEnding = false;

  constructor(parts: UnitsByHandParts) {
    this.#parts = parts;
  }

  /** `done` gets 0 or the errno of `moveByHand`. */
  move(mainUnit: number, spareUnit: number, done: (errno: number) => void): void {
    const { context, scratch } = this.#parts;
    this.#enqueue(() => moveByHand(context, scratch, mainUnit, spareUnit), done);
  }

  /** `done` gets 0 or the errno of `giveBack`. */
  giveBack(mainUnit: number, done: (errno: number) => void): void {
    const { context, scratch, written } = this.#parts;
    const { shape } = context;
    this.#enqueue(() => {
      written?.noteWrite(mainUnit * shape.unitBytes, shape.unitLengthBytes(mainUnit));
      return giveBack(context, scratch, mainUnit);
    }, done);
  }

  /** `done` gets 0 or the errno of `moveAway`. */
  moveAway(mainUnit: number, spareIndex: number, acceptsLoss: boolean, done: (errno: number) => void): void {
    const { context, scratch } = this.#parts;
    this.#enqueue(() => moveAway(context, scratch, mainUnit, spareIndex, acceptsLoss), done);
  }

  /** `done` gets 0 or the errno of `moveOnSpares`. */
  moveOnSpares(mainUnit: number, toUnit: number, done: (errno: number) => void): void {
    const { context, scratch } = this.#parts;
    this.#enqueue(() => moveOnSpares(context, scratch, mainUnit, toUnit), done);
  }

  /** Forgets places that nothing lives in any more, whose retirement failed; `done` gets 0 or EIO. */
  retire(spareUnits: readonly number[], done: (errno: number) => void): void {
    this.#enqueue(() => retirePlaces(spareUnits), done);
  }

  /** What has not begun is answered with ECANCELED, now and from now on: the device is to be closed. */
  end(): void {
    this.#isEnding = true;
    for (const { done } of this.#waiting.splice(0)) done(ERRNO.ECANCELED);
  }

  get isIdle(): boolean {
    return !this.#isBusy && this.#waiting.length === 0;
  }

  #enqueue(procedureOf: () => Procedure<number>, done: (errno: number) => void): void {
    if (this.#isEnding) return done(ERRNO.ECANCELED);
    this.#waiting.push({ procedureOf, done });
    this.#next();
  }

  #next(): void {
    if (this.#isBusy) return;
    const work = this.#waiting.shift();
    if (work === undefined) return;
    this.#isBusy = true;
    this.#parts.runner.start(work.procedureOf(), (errno) => {
      this.#isBusy = false;
      work.done(errno);
      this.#next();
    });
  }
}

interface HandWork {
  readonly procedureOf: () => Procedure<number>;
  readonly done: (errno: number) => void;
}

export interface UnitsByHandParts {
  readonly context: ColdContext;
  readonly runner: EffectRunner;
  readonly scratch: Scratch;
  /** What tells the main device from another one, where that is its contents. */
  readonly written: WrittenSamples | undefined;
}
