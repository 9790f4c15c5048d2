import { assert } from '../base/assert.js';
import type { ColdContext } from '../engine/cold-context.js';
import type { CopyRoom } from '../engine/copy-region.js';
import type { Procedure } from '../engine/effect.js';
import type { BlockStore } from '../ports/block-store.js';
import type { Scheduler } from '../ports/scheduler.js';
import type { EffectRunner } from './effect-runner.js';
import { Evacuation } from './evacuation.js';
import type { EvacuationEvent, EvacuationProgress } from './evacuation-progress.js';
import type { PositionLog } from './position-log.js';

/** The disk that is to become the main device, if somebody has named one: its store, and what goes there. */
export class Replacement {
  readonly #parts: ReplacementParts;
  #store: BlockStore | undefined;
  #evacuation: Evacuation | undefined;

  constructor(parts: ReplacementParts) {
    this.#parts = parts;
  }

  /**
   * There is none yet, or the last one was cancelled or has failed. The store is this one's, until it is released. `copyId`: 16
   * bytes; where an earlier process copied with the same, to this disk, it is gone on with.
   */
  begin(store: BlockStore, copyId: Uint8Array): void {
    assert(!this.isThere, 'one replacement at a time');
    store.attach(this.#parts.runner);
    this.#store = store;
    this.#parts.runner.replacement = store;
    this.#evacuation = new Evacuation({
      ...this.#parts,
      copyId,
      name: store.description,
      released: () => this.#release(),
    });
    this.#evacuation.begin();
  }

  get isThere(): boolean {
    return this.#store !== undefined;
  }

  /** Of the last one; undefined: there was none since the set was opened. */
  get progress(): EvacuationProgress | undefined {
    return this.#evacuation?.progress;
  }

  get isAtRest(): boolean {
    return this.#evacuation?.isAtRest ?? true;
  }

  /** Tries once more what could not be read; where that is not its state, nothing happens. */
  tryAgain(): void {
    this.#evacuation?.tryAgain();
  }

  /** Where nothing is being copied, nothing happens; so with `resume`. */
  pause(): void {
    this.#evacuation?.pause();
  }

  resume(): void {
    this.#evacuation?.resume();
  }

  /** `done` is called when it is released, and nothing is recorded of it any more, of an earlier process neither. */
  cancel(done: () => void): void {
    if (this.#evacuation === undefined || !this.isThere) return this.#parts.position.forget(done);
    this.#evacuation.cancel(done);
  }

  /** As `Evacuation.acceptLoss`. */
  acceptLoss(): void {
    this.#evacuation?.acceptLoss();
  }

  /** As `Evacuation.mainIsBack`. */
  mainIsBack(): void {
    this.#evacuation?.mainIsBack();
  }

  stopCopying(): void {
    this.#evacuation?.stopCopying();
  }

  /** As `Evacuation.seal`; the replacement is released afterwards in any case. */
  *seal(): Procedure<boolean> {
    if (this.#evacuation === undefined || !this.isThere) return false;
    const isSealed = yield* this.#evacuation.seal();
    // A failed flush has released it.
    if (this.isThere) this.#release();
    return isSealed;
  }

  #release(): void {
    this.#store?.close();
    this.#store = undefined;
    this.#parts.runner.replacement = undefined;
  }
}

export interface ReplacementParts {
  readonly context: ColdContext;
  readonly runner: EffectRunner;
  readonly scheduler: Scheduler;
  readonly position: PositionLog;
  readonly settlePeriodMs: number;
  readonly rooms: readonly CopyRoom[];
  readonly report: (event: EvacuationEvent) => void;
  readonly noticedAway: () => void;
}
