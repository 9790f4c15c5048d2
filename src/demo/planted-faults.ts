import { assert } from '../base/assert.js';
import type { Random } from './random.js';

/** Bad places of every kind that a fault scenario knows, except the disk that vanishes. Sectors of 512 bytes. */
export interface PlantedFaults {
  /** Fail for good, on reading and writing. */
  readonly dead: readonly SectorRange[];
  /** Can be read, but not written. */
  readonly unwritable: readonly SectorRange[];
  /** Can't be read, and are good again once written: a drive's pending sectors. */
  readonly pending: readonly SectorRange[];
  /** Fail twice, then read well. */
  readonly weak: readonly SectorRange[];
  readonly slow: readonly SectorRange[];
  /** Of the spare: fail when something is to be moved there. */
  readonly spare: readonly SectorRange[];
}

export interface SectorRange {
  readonly first: number;
  readonly count: number;
}

/** Spreads bad places over a disk; no two touch the same 32 sectors, so that each keeps its kind. */
export function plantFaults(mainSectorCount: number, random: Random): PlantedFaults {
  const taken = new Set<number>();
  const range = (countMax: number): SectorRange => {
    let cell = random.below(mainSectorCount / CELL_SECTORS);
    while (taken.has(cell)) cell = random.below(mainSectorCount / CELL_SECTORS);
    taken.add(cell);
    const count = 1 + random.below(countMax);
    return { first: cell * CELL_SECTORS + random.below(CELL_SECTORS - count + 1), count };
  };
  const ranges = (rangeCount: number, countMax: number) =>
    Array.from({ length: rangeCount }, () => range(countMax));
  assert(mainSectorCount / CELL_SECTORS >= 1000, 'room for all faults');
  return {
    dead: ranges(120, 16),
    unwritable: ranges(60, 8),
    pending: ranges(80, 8),
    weak: ranges(20, 1),
    slow: ranges(10, 32),
    // Among the first units that are free on a spare of 16 MiB; the metadata before them ends at sector 560.
    spare: [
      { first: 600, count: 8 },
      { first: 640, count: 3 },
      { first: 1200, count: 1 },
    ],
  };
}

/** The scenario file that `dmremap run --faults` takes (docs/fault-scenarios.md). */
export function scenarioText(faults: PlantedFaults): string {
  const weak = faults.weak.map(
    (range) => `  - { sectors: "${rangeText(range)}", on: [read], error: EIO, times: 2 }\n`,
  );
  return [
    '# Made by the demonstration: what is wrong with main.img and spare.img. docs/fault-scenarios.md explains the keys.\n',
    'main:\n',
    '  # Dead for good.\n',
    `  - { sectors: "${rangesText(faults.dead)}", on: [read, write, writeZeroes], error: ENODATA }\n`,
    '  # Readable, but the disk can no longer write there.\n',
    `  - { sectors: "${rangesText(faults.unwritable)}", on: [write, writeZeroes], error: EIO }\n`,
    "  # A drive's pending sectors: unreadable until they are written.\n",
    `  - { sectors: "${rangesText(faults.pending)}", on: [read], error: ENODATA, healsOnWrite: true }\n`,
    '  # Slow.\n',
    `  - { sectors: "${rangesText(faults.slow)}", delayMs: ${SLOW_MS} }\n`,
    '  # Weak: the first two reads fail, then it works.\n',
    ...weak,
    'spare:\n',
    '  # The spare is not perfect either.\n',
    `  - { sectors: "${rangesText(faults.spare)}", on: [write, writeZeroes], error: ENODATA }\n`,
  ].join('');
}

function rangesText(ranges: readonly SectorRange[]): string {
  return [...ranges]
    .sort((a, b) => a.first - b.first)
    .map(rangeText)
    .join(',');
}

function rangeText({ first, count }: SectorRange): string {
  return count === 1 ? String(first) : `${first}-${first + count - 1}`;
}

const CELL_SECTORS = 32;
const SLOW_MS = 50;
