/**
 * Touches the memory that a thread takes while it serves a block device, so that its pages are real before the first
 * request: the young generation of its heap, which the thread goes round and round in, and its stack. A page that is
 * first touched while memory has run short is waited for, perhaps until the request is served for which it is wanted.
 *
 * Works for a thread that was made with `FIXED_YOUNG_GENERATION`, and lasts as long as its event loop stands still:
 * V8's idle tasks, which give memory back, run there.
 */
export function touchThreadMemory(): void {
  touchStack(STACK_FRAMES);
  for (let written = 0; written < TOUCHED_BYTES; written += GARBAGE_LENGTH * 8) {
    garbage = new Array<number>(GARBAGE_LENGTH).fill(written + 0.5);
  }
  garbage = [];
}

function touchStack(frames: number): number {
  return frames === 0 ? 0 : touchStack(frames - 1) + 1;
}

/** Where an optimising compiler can't do without it. */
export let garbage: readonly number[] = [];

/**
 * `resourceLimits` of such a thread. Three parts of 1 MiB: the two halves that V8 copies survivors between, and as much
 * for large objects. It is V8's smallest, so the halves start with it and are neither enlarged nor made smaller.
 */
export const FIXED_YOUNG_GENERATION = { maxYoungGenerationSizeMb: 3 };

/** Several rounds through both halves. */
const TOUCHED_BYTES = 16 << 20;
const GARBAGE_LENGTH = 500;
/** A few hundred KiB; calls while serving go some thirty deep. */
const STACK_FRAMES = 4_000;
