/**
 * What a device has done and met, ever growing. One list: the order is the order in the superblock, so names are
 * only ever added at the end.
 */
export const COUNTER_NAMES = [
  'reads',
  'writes',
  'flushes',
  'discards',
  'writeZeroes',
  'readBytes',
  'writtenBytes',
  'mainReadErrors',
  'mainWriteErrors',
  'spareReadErrors',
  'spareWriteErrors',
  'flushErrors',
  'retries',
  'transientErrors',
  'remapsOfWrites',
  'remapsOfReads',
  'remapsOfSpares',
  'blocksLost',
  'blocksRegained',
  'lostBlocksZeroFilled',
  'requestsFailed',
  'spareUnitsRetired',
  'writesWithoutSpare',
  'deviceProbes',
  'breakerTrips',
  'metadataCommits',
  'metadataPageWrites',
  'metadataWriteErrors',
  'metadataRepairs',
  'remapsByHand',
] as const;

export type CounterName = (typeof COUNTER_NAMES)[number];

/** Index of each counter in the array that all parts of a device add to. */
export const Counter = Object.fromEntries(COUNTER_NAMES.map((name, index) => [name, index])) as Readonly<
  Record<CounterName, number>
>;

/** Plain doubles: exact up to 2^53, added to without allocation. */
export type Counters = Float64Array;

export function newCounters(saved: readonly number[] = []): Counters {
  const counters = new Float64Array(COUNTER_NAMES.length);
  for (const [index, value] of saved.entries()) if (index < counters.length) counters[index] = value;
  return counters;
}

export function count(counters: Counters, index: number, amount = 1): void {
  counters[index]! += amount;
}

export function countersByName(counters: Counters): Record<CounterName, number> {
  return Object.fromEntries(COUNTER_NAMES.map((name, index) => [name, counters[index]!])) as Record<
    CounterName,
    number
  >;
}
