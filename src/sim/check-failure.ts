/** A promise that was not kept, or a rule of the disk that was broken. Ends the run of a seed. */
export class CheckFailure extends Error {
  override readonly name = 'CheckFailure';
  readonly check: CheckName;

  constructor(checkName: CheckName, message: string) {
    super(message);
    this.check = checkName;
  }
}

export function check(condition: boolean, checkName: CheckName, message: string): asserts condition {
  if (!condition) throw new CheckFailure(checkName, message);
}

/** What is checked; docs/fault-model.md tells of each. */
export type CheckName =
  | 'wrongData'
  | 'foreignData'
  | 'readError'
  | 'writeError'
  | 'flushError'
  | 'hangs'
  | 'assembly'
  | 'acceptedWrongDevice'
  | 'refusedOwnDevice'
  | 'structure'
  | 'copies'
  | 'counters'
  | 'untold'
  | 'unmoved'
  | 'inspect'
  | 'blockStatus'
  | 'burntSpare'
  | 'placement'
  | 'scrub'
  | 'offline'
  | 'byHand'
  | 'settings'
  | 'evacuation'
  | 'invariant'
  | 'model';
