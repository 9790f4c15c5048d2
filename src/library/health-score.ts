import type { Health } from './judge-health.js';

/**
 * How a set is doing as one number from 0 to 100, for programs that know the kernel module's `health`: 100 healthy; 94
 * down to 40 degraded, falling with the part of the spare that is used; 20 critical.
 */
export function healthScore({ health, freeSpareUnits, usableSpareUnits }: ScoredSet): number {
  const usedPart = usableSpareUnits === 0 ? 1 : 1 - freeSpareUnits / usableSpareUnits;
  switch (health.state) {
    case 'healthy':
      return 100;
    case 'degraded':
      return 94 - Math.round(54 * usedPart);
    case 'critical':
      return 20;
  }
}

export interface ScoredSet {
  readonly health: Pick<Health, 'state'>;
  readonly freeSpareUnits: number;
  readonly usableSpareUnits: number;
}
