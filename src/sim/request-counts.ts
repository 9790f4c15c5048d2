import { Counter, type Counters } from '../engine/counters.js';
import { check } from './check-failure.js';
import type { RequestStep } from './history.js';

/** Requests of clients in one life of the process: its counters have grown by just these, once all have their answers. */
export class RequestCounts {
  readonly #blockBytes: number;
  /** By counter. */
  #expected: Counters | undefined;

  constructor(blockBytes: number) {
    this.#blockBytes = blockBytes;
  }

  /** A process is at work, and nothing was asked of it yet. */
  begin(counters: Counters): void {
    this.#expected = counters.slice();
  }

  /** There is none. */
  forget(): void {
    this.#expected = undefined;
  }

  noteSent({ operation, count }: RequestStep): void {
    if (this.#expected === undefined) return;
    this.#expected[COUNTERS[operation]]! += 1;
    const bytes = count * this.#blockBytes;
    if (operation === 'read') this.#expected[Counter.readBytes]! += bytes;
    if (operation === 'write') this.#expected[Counter.writtenBytes]! += bytes;
  }

  noteFailed(): void {
    if (this.#expected !== undefined) this.#expected[Counter.requestsFailed]! += 1;
  }

  /**
   * Nothing is under way, and a superblock was written since anything was: it has them. `saved`: as the decoder reads them,
   * in the order of the superblock.
   */
  checkSaved(saved: readonly number[]): void {
    if (this.#expected === undefined) return;
    for (const name of COUNTED) {
      const [now, expected] = [saved[PLACES[name]] ?? 0, this.#expected[Counter[name]]!];
      check(now === expected, 'counters', `${name} is saved as ${now}; ${expected} were asked for`);
    }
  }

  /** Nothing is under way. */
  check(counters: Counters): void {
    if (this.#expected === undefined) return;
    for (const name of COUNTED) {
      const [now, expected] = [counters[Counter[name]]!, this.#expected[Counter[name]]!];
      check(now === expected, 'counters', `${name} counts ${now}; ${expected} were asked for`);
    }
  }
}

const COUNTERS = {
  read: Counter.reads,
  write: Counter.writes,
  flush: Counter.flushes,
  discard: Counter.discards,
  zero: Counter.writeZeroes,
} as const;

/** In the list of a superblock (docs/on-disk-format.md). */
const PLACES = {
  reads: 0,
  writes: 1,
  flushes: 2,
  discards: 3,
  writeZeroes: 4,
  readBytes: 5,
  writtenBytes: 6,
  requestsFailed: 20,
} as const;

const COUNTED = [
  'reads',
  'writes',
  'flushes',
  'discards',
  'writeZeroes',
  'readBytes',
  'writtenBytes',
  'requestsFailed',
] as const;
