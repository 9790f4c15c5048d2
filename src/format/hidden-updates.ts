import { MAX_SEQUENCE } from './layout.js';

/**
 * The sequence of an update of a block of which a slot could not be judged (rules R2 and R3): what is hidden there is one of
 * the updates that somebody gave up one after the other, each with a number two above the last. This one is above all of
 * them, and in the same slot as the next one would be.
 *
 * `openCount`, of the superblock, is in the number: of two processes that both leap from the same version and both give it
 * up, what the later one writes is newer. 0: that can't be, because the block says itself who wrote it.
 */
export function sequenceAfterHidden(sequence: number, openCount: number): number {
  const ownUpdates = openCount * HIDDEN_UPDATES_LEAP;
  const distance = ownUpdates > MAX_SEQUENCE / 2 ? 0 : ownUpdates - sequence;
  const leap = Math.max(distance, HIDDEN_UPDATES_LEAP);
  return sequence + 1 + leap + (leap % 2);
}

/** Twice as many as the updates that a process gives up in a row. Even, so that the slot stays. */
export const HIDDEN_UPDATES_LEAP = 2 ** 24;
