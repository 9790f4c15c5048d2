import type { CrashStep, RequestStep } from '../history.js';

/** What brings a set to another disk, or all of it back to its main device. */
export type EvacuationStep =
  | EvacuateStep
  | EvacuationTurnStep
  | CancelEvacuationStep
  | CutOverStep
  | LeaveStep;

/** Everything is copied to the bystander from now on, while the set is in use. */
export interface EvacuateStep {
  readonly kind: 'evacuate';
  /** It has no bad sectors, if it is not being copied to already. */
  readonly isFresh: boolean;
  /** Events that happen after it has begun. */
  readonly events: number;
}

/** Of what is being copied. */
export interface EvacuationTurnStep {
  /** What the main device alone holds counts as lost, if it is gone. */
  readonly kind: 'pauseEvacuation' | 'resumeEvacuation' | 'acceptLoss';
  readonly events: number;
}

export interface CancelEvacuationStep {
  readonly kind: 'cancelEvacuation';
  readonly events: number;
}

/** If everything is copied, the set is closed, the other disk becomes the main device, and the next process starts. */
export interface CutOverStep {
  readonly kind: 'cutOver';
  /** So many events may happen until everything is copied. */
  readonly patience: number;
  /** Of a block device: these come while the set is being closed. */
  readonly requests: readonly RequestStep[];
  readonly interruption?: CutOverInterruption;
  /** The next starts are cut off. */
  readonly starts: CrashStep['interruptions'];
}

/** It does not come to its end: cut off while the set is closed, while what is damaged is repaired, or in the change itself. */
export interface CutOverInterruption {
  readonly phase: 'close' | 'before' | 'change';
  readonly how: 'kill' | 'powerCut';
  readonly events: number;
}

/** All units are given back. */
export interface LeaveStep {
  readonly kind: 'leave';
  /** Everything is let come to rest first, and nothing else happens; in the end the main device is looked at by itself. */
  readonly isAlone: boolean;
  /** Events that happen after it has begun, where it is not alone. */
  readonly events: number;
}
