import { type BenchRow, benchRow, KIB, MIB } from './nbd-rows.js';

export const UBLK_ROWS: readonly BenchRow[] = [
  benchRow('4k random read, depth 1', 'read', 'random', 4 * KIB, 1),
  benchRow('4k random read, depth 32', 'read', 'random', 4 * KIB, 32),
  benchRow('4k random write, depth 1', 'write', 'random', 4 * KIB, 1),
  benchRow('4k random write, depth 32', 'write', 'random', 4 * KIB, 32),
  {
    ...benchRow('4k random read, depth 32, half on remaps', 'read', 'random', 4 * KIB, 32),
    place: 'onRemaps',
  },
  benchRow('1M read, depth 8', 'read', 'sequential', MIB, 8),
  benchRow('1M write, depth 8', 'write', 'sequential', MIB, 8),
];
