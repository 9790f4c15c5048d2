import type { ColdContext } from '../engine/cold-context.js';
import { Counter, count } from '../engine/counters.js';
import type { BlockStore } from '../ports/block-store.js';
import type { DeviceEvent } from './device-event.js';
import type { DirtySpares } from './dirty-spares.js';
import type { SharedWords } from './shared-words.js';

/**
 * Flushes that failed, and caches that went with a device: what a disk holds may be what it held before. Clients hear of it
 * by a count, on any thread; the replacement of the main device, which has not gone back with it, is compared again.
 */
export class FlushFailures {
  readonly #parts: FlushFailureParts;

  constructor(parts: FlushFailureParts) {
    this.#parts = parts;
  }

  get count(): number {
    return Atomics.load(this.#parts.words.flushFailureCount, 0);
  }

  noteFailed(target: number): void {
    this.#noteReverted(target);
    count(this.#parts.context.counters, Counter.flushErrors);
    this.#parts.report({ kind: 'flushFailed' });
  }

  /** A device is back without its cache. True: it may have lost what it had not made durable, as after a flush that failed. */
  noteCacheLost(target: number): boolean {
    const { stores, dirtySpares } = this.#parts;
    const { volatileCache } = stores[target]!.geometry.queue;
    if (!volatileCache || !dirtySpares.isDirty(target)) return false;
    dirtySpares.noteCacheLost(target);
    this.#noteReverted(target);
    return true;
  }

  #noteReverted(target: number): void {
    const { words, context } = this.#parts;
    Atomics.add(words.flushFailureCount, 0, 1);
    context.mirror.noteReverted(context.filter, target);
  }
}

export interface FlushFailureParts {
  readonly context: ColdContext;
  readonly words: SharedWords;
  readonly dirtySpares: DirtySpares;
  /** By target: the main device, then the spares. */
  readonly stores: readonly BlockStore[];
  readonly report: (event: DeviceEvent) => void;
}
