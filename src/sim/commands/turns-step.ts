/** A unit on a spare moves so often that the next move is the one at which its count goes beyond a border. */
export interface TurnsStep {
  readonly kind: 'turns';
  /** Modulo the units that live on spares. */
  readonly unit: number;
  /** The last move count before the border. */
  readonly lastCount: number;
}

/** Everything comes to rest, and stays so for as long as it takes to record what was copied to another disk. */
export interface QuietStep {
  readonly kind: 'quiet';
}

/** The same, until it is just being recorded: the other disk is being flushed. */
export interface RecordingStep {
  readonly kind: 'recording';
}
