/** `remap consolidate`: a unit is moved to another place on the spares while the set is in use. */
export interface ShiftStep {
  readonly kind: 'shift';
  /** Modulo the units that live on spares. */
  readonly unit: number;
  /** Where to: modulo the places. */
  readonly place: number;
  /** Events that happen after it has begun. */
  readonly events: number;
}
