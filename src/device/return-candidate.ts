import type { BlockStore } from '../ports/block-store.js';

/** Looks for a device that is gone; `found` is called once, later or at once. Made by whoever opens devices. */
export type FindReturned = (target: number, found: (search: ReturnSearch) => void) => void;

export type ReturnSearch =
  /** Nothing is there that could be it; or it never went, and only answers with errors. */
  | { readonly kind: 'absent' }
  /** Something is there and can't be used. `reason`: one line for a person, with what to do. */
  | { readonly kind: 'refused'; readonly name: string; readonly reason: string }
  | { readonly kind: 'candidate'; readonly candidate: ReturnCandidate };

/** A device that may be the one that is gone, opened as at start. Exactly one of `accept` and `refuse` is called. */
export interface ReturnCandidate {
  /** How it is called now. */
  readonly name: string;
  /**
   * What says that it is the one: its serial number or WWN; being the same file; or no more than that it is at the
   * same place and has the same size.
   */
  readonly proof: 'identity' | 'sameFile' | 'samePath';
  /** For looking at it: not attached yet, no I/O in flight when `accept` or `refuse` is called. */
  readonly store: BlockStore;
  /** From now on the served store works on this device; the old one is given up. */
  readonly accept: () => void;
  readonly refuse: () => void;
}

/** Why a candidate is not the device that is gone, or not as it was. */
export type ReturnRefusal =
  /** Blocks of the main device that nobody wrote hold something else. */
  | { readonly kind: 'contentDiffers'; readonly differingCount: number }
  /** No serial number, and too few blocks left by which to know it. */
  | { readonly kind: 'unrecognised' }
  /** Not this spare of this set. */
  | { readonly kind: 'otherSpare' }
  /** An older state of this spare: it lacks what was durable on it. */
  | { readonly kind: 'staleSpare' }
  /** Somebody else has written to its metadata. */
  | { readonly kind: 'usedElsewhere' }
  /** Found unusable before it could be looked at, or silent then. */
  | { readonly kind: 'unusable'; readonly reason: string };
