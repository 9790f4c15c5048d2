import { BREAKER_WORD_COUNT } from '../engine/breaker.js';

/**
 * What all threads of one device say to each other in single words, in one piece of shared memory. Words that are
 * written often lie in cache lines of their own: the breaker's are read for every request.
 */
export class SharedWords {
  readonly shared: SharedArrayBuffer;
  readonly breaker: Int32Array;
  /** One word: `Doorbell` of the owner. */
  readonly ownerBell: Int32Array;
  /** One word: not 0 while a lock of the owner waits for requests in flight (`UnitLocks`). */
  readonly locksWaiting: Int32Array;
  /** One word: failed flushes so far, modulo 2^32. */
  readonly flushFailureCount: Int32Array;
  /** One word: 1 where lost blocks read as zeroes. */
  readonly lostReadsAsZero: Int32Array;
  /** By target, for `DirtySpares`. */
  readonly dirty: Int32Array;

  static allocate(targetCount: number): SharedWords {
    return new SharedWords(new SharedArrayBuffer(FIXED_LINES * LINE_BYTES + targetCount * 4));
  }

  /** Views the words that another thread allocated. */
  constructor(shared: SharedArrayBuffer) {
    this.shared = shared;
    this.breaker = new Int32Array(shared, 0, BREAKER_WORD_COUNT);
    this.ownerBell = new Int32Array(shared, LINE_BYTES, 1);
    this.locksWaiting = new Int32Array(shared, 2 * LINE_BYTES, 1);
    this.flushFailureCount = new Int32Array(shared, 3 * LINE_BYTES, 1);
    this.lostReadsAsZero = new Int32Array(shared, 4 * LINE_BYTES, 1);
    this.dirty = new Int32Array(shared, FIXED_LINES * LINE_BYTES);
  }
}

/** A cache line, two on processors that fetch pairs; more costs nothing here. */
const LINE_BYTES = 128;
const FIXED_LINES = 5;
