/** One kind of load, as fio is asked for it. */
export interface BenchRow {
  readonly name: string;
  readonly operation: 'read' | 'write';
  readonly access: 'random' | 'sequential';
  readonly blockBytes: number;
  readonly depth: number;
  readonly jobs: number;
  readonly unit: 'IOPS' | 'MB/s';
  readonly place: Place;
}

/**
 * Where on the device. Remaps, where there are any, are on every second 4 KiB unit of the first four fifths
 * (`plant-remaps.ts`). `betweenRemaps`: only the healthy units there, so every request looks at the table and none is
 * remapped. `onRemaps`: both kinds alike. `clear`: the last fifth.
 */
export type Place = 'betweenRemaps' | 'onRemaps' | 'clear';

export const KIB = 1024;
export const MIB = 1024 * KIB;

export const NBD_ROWS: readonly BenchRow[] = [
  benchRow('4k random read, depth 1', 'read', 'random', 4 * KIB, 1),
  benchRow('4k random read, depth 64', 'read', 'random', 4 * KIB, 64),
  benchRow('4k random read, 4 jobs x depth 32', 'read', 'random', 4 * KIB, 32, 4),
  benchRow('4k random write, depth 64', 'write', 'random', 4 * KIB, 64),
  {
    ...benchRow('4k random read, depth 64, half on remaps', 'read', 'random', 4 * KIB, 64),
    place: 'onRemaps',
  },
  benchRow('1M sequential read, depth 8', 'read', 'sequential', MIB, 8),
  benchRow('1M sequential write, depth 8', 'write', 'sequential', MIB, 8),
];

export function benchRow(
  name: string,
  operation: BenchRow['operation'],
  access: BenchRow['access'],
  blockBytes: number,
  depth: number,
  jobs = 1,
): BenchRow {
  const isLarge = blockBytes >= MIB;
  const [unit, place] = isLarge ? (['MB/s', 'clear'] as const) : (['IOPS', 'betweenRemaps'] as const);
  return { name, operation, access, blockBytes, depth, jobs, unit, place };
}
