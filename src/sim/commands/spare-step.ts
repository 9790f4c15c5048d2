/** What changes the spares of a set, or holds its requests. */
export type SpareStep = SuspendStep | EmptyStep | ChangeSparesStep;

/** `suspend`: requests are held until `resume`, or until everything is to come to rest. */
export interface SuspendStep {
  readonly kind: 'suspend' | 'resume';
  /** Events that happen after it. */
  readonly events: number;
}

/** Units are moved from a spare to the others while the set is in use; nothing new goes there. */
export interface EmptyStep {
  readonly kind: 'empty';
  /** Modulo the spares. */
  readonly spare: number;
  /** So many units at most. */
  readonly limit: number;
  readonly acceptsLoss: boolean;
  /** The spare takes units again when these are moved; else until the process ends it does not. */
  readonly keeps: boolean;
  readonly events: number;
}

/** The process ends, a disk of the reserve becomes a spare, or a spare none, and the next process starts. */
export interface ChangeSparesStep {
  readonly kind: 'spares';
  readonly how: 'kill' | 'powerCut' | 'stop';
  readonly change: 'add' | 'remove';
  /** Of a removal, modulo the spares. */
  readonly spare: number;
  readonly interruption?: SpareInterruption;
}

/** It does not come to its end: cut off while what is damaged is repaired, in the change itself, or while copies are completed. */
export interface SpareInterruption {
  readonly phase: 'before' | 'change' | 'after';
  readonly how: 'kill' | 'powerCut';
  readonly events: number;
}
