import type { CopyPass } from '../engine/copy-order.js';
import type { MirrorFailure } from '../engine/mirror.js';

export type EvacuationState =
  | 'copying'
  /** The replacement holds all; lost blocks are in the map. */
  | 'copied'
  /** Some of it could not be read, and the spares have no room to remember that. */
  | 'incomplete'
  /** The replacement refused a write. */
  | 'failed'
  | 'cancelled';

/** `comparing`: whether the replacement still holds what was copied before. */
export type EvacuationPass = CopyPass | 'comparing';

export type CopyBeginning =
  /** Nothing of it was recorded, or it has just begun. */
  | 'start'
  /** An earlier process got so far. */
  | 'position'
  /** From the start: the disk does not hold any more what is recorded. */
  | 'differs';

export interface EvacuationProgress {
  /** Of the replacement. */
  readonly name: string;
  readonly state: EvacuationState;
  readonly pass: EvacuationPass;
  readonly copiedBytes: number;
  /** With what has become stale since, and is to be copied again. */
  readonly everCopiedBytes: number;
  readonly totalBytes: number;
  /** A device of the set is away; it goes on when that is back. */
  readonly isWaiting: boolean;
  /** Nothing is copied until somebody resumes it. */
  readonly isPaused: boolean;
  readonly beginning: CopyBeginning;
  /** Copied by an earlier process. */
  readonly beginningBytes: number;
  readonly unreadableUnits: number;
  readonly firstUnreadableUnit: number | undefined;
  readonly failure: MirrorFailure | undefined;
}

/** Its state is another one now. */
export interface EvacuationEvent {
  readonly kind: 'evacuation';
  readonly progress: EvacuationProgress;
}
