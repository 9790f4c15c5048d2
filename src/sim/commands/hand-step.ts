/** `remap add` and `remap release`: somebody moves a unit, or brings it back, while the set is in use. */
export interface HandStep {
  readonly kind: 'hand';
  readonly action: 'add' | 'release';
  /**
   * Aimed, a release is of a unit that lives on a spare just now, and an add of the unit where something went bad last;
   * otherwise of any unit.
   */
  readonly isAimed: boolean;
  /** Modulo the units that there are to choose from. */
  readonly unit: number;
  /** Of an add: where to. -1: anywhere; -2: where the unit lived that was released last; else a low place of a spare. */
  readonly place: number;
  /** Before it, a block of the unit goes bad on the main device in this way (`BlockFlag`); 0: none does. */
  readonly mainFlags: number;
  /** Events that happen after it has begun. */
  readonly events: number;
}

export const ANYWHERE = -1;
export const WHERE_RELEASED = -2;
