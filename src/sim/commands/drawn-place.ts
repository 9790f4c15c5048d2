import type { SpareLayout } from '../../format/layout.js';

/** A spare unit for a number from a history: of all spares, low places more often than high ones. */
export function drawnPlace(spares: readonly SpareLayout[], drawn: number): number {
  const { firstUnit, unitCount } = spares[drawn % spares.length]!;
  return firstUnit + (Math.floor(drawn / spares.length) % unitCount);
}
