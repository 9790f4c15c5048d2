import type { SettingValues } from '../settings/setting-table.js';
import type { Random } from './random.js';

/** What a run is about: sizes, policies, and which kinds of trouble come up. */
export interface Scenario {
  readonly mainBytes: number;
  readonly blockBytes: number;
  readonly unitBytes: number;
  readonly copyCount: number;
  readonly spareBytes: readonly number[];
  /** Disks that are none of the set's to begin with, and may become spares. */
  readonly reserveBytes: readonly number[];
  /** One more disk, as large as the main device or larger, which may become that; undefined: there is none. */
  readonly replacementBytes: number | undefined;
  /** What it holds in common with the set is recorded so often. */
  readonly settlePeriodMs: number;
  /** By disk, those of the reserve after the spares, then the replacement. */
  readonly volatileCaches: readonly boolean[];
  readonly canZero: boolean;
  /** Disks with a cache can make a single write durable. */
  readonly hasNativeFua: boolean;
  /** What a failed flush has dropped may be read for some time. */
  readonly hasPageCache: boolean;
  /** Queues on threads of their own. */
  readonly queueCount: number;
  /** Others get in between at every atomic operation. */
  readonly hasRaces: boolean;
  readonly holdMs: number;
  readonly lostReadsAsZero: boolean;
  /** The disks can be told by a serial number. */
  readonly hasSerials: boolean;
  /** A disk that is gone says EIO, not ENODEV. */
  readonly goneSaysIo: boolean;
  readonly latencyUs: number;
  /** One I/O of so many takes much longer than others, for no reason that anybody knows. */
  readonly stragglerOdds: number;
  /** The spares were part of another set, and what it left is still on them. */
  readonly hasRemains: boolean;
  /** Clients use a block device that outlives its processes; one may hand it over to the next. */
  readonly hasBlockDevice: boolean;
  /** The set keeps its settings, to begin with these, and somebody changes them; undefined: they are given at every start. */
  readonly keptSettings: Readonly<Partial<SettingValues>> | undefined;
  /** Somebody administers the set (`commands/`). */
  readonly hasCommands: boolean;
  readonly maxRequestBlocks: number;
  readonly inFlightMax: number;
  /** By spare, to begin with: the copy that no fault of the run touches (docs/fault-model.md). */
  readonly safeCopies: readonly number[];
  readonly trouble: Trouble;
}

/** Which kinds of trouble come up, with weights among the steps of a run. */
export interface Trouble {
  readonly badSectors: number;
  readonly passingErrors: number;
  readonly failingFlushes: number;
  readonly outages: number;
  readonly metadataDamage: number;
  readonly crashes: number;
  /** The spare's own sectors go bad, too. */
  readonly spareSectors: boolean;
  /** Places are so few that they run out. */
  readonly manyBadSectors: boolean;
}

export function drawScenario(random: Random): Scenario {
  const blockBytes = random.chance(1, 5) ? 4096 : 512;
  const unitBytes = blockBytes === 4096 ? random.pick([4096, 8192, 16384]) : random.pick(UNIT_SIZES);
  const spareCount = random.pick([1, 1, 1, 2, 2, 3]);
  const copyCount = Math.max(spareCount, random.pick([1, 2, 3, 5, 5, 8]));
  const holds = random.below(3);
  const queueCount = random.pick([0, 0, 1, 2]);
  return {
    mainBytes: (random.pick([96, 256, 256, 640, 1200]) << 10) + 4096 * random.below(4),
    blockBytes,
    unitBytes,
    copyCount,
    spareBytes: Array.from({ length: spareCount }, () => (1 << 20) + 65536 * random.below(6)),
    reserveBytes: [],
    replacementBytes: undefined,
    settlePeriodMs: 10_000,
    volatileCaches: Array.from({ length: spareCount + 1 }, () => random.chance(7, 8)),
    canZero: random.chance(1, 2),
    hasNativeFua: true,
    hasPageCache: false,
    queueCount,
    hasRaces: queueCount > 0 && random.chance(1, 8),
    holdMs: [0, 5000, Number.POSITIVE_INFINITY][holds]!,
    lostReadsAsZero: random.chance(1, 8),
    hasSerials: random.chance(1, 2),
    goneSaysIo: random.chance(1, 3),
    latencyUs: random.pick([20, 100, 100, 1000]),
    stragglerOdds: random.pick([4, 16, 16]),
    hasRemains: random.chance(1, 4),
    hasBlockDevice: false,
    keptSettings: undefined,
    hasCommands: false,
    maxRequestBlocks: random.pick([4, 16, 16, 64]),
    inFlightMax: random.pick([1, 4, 8, 16]),
    safeCopies: drawSafeCopies(random, spareCount, copyCount),
    trouble: drawTrouble(random),
  };
}

/** Copy c is on spare c mod spareCount. */
function drawSafeCopies(random: Random, spareCount: number, copyCount: number): number[] {
  return Array.from({ length: spareCount }, (_, spare) => {
    const count = Math.ceil((copyCount - spare) / spareCount);
    return spare + spareCount * random.below(count);
  });
}

function drawTrouble(random: Random): Trouble {
  const some = (often: number): number => (random.chance(1, 2) ? 1 + random.below(often) : 0);
  return {
    badSectors: 2 + some(8),
    passingErrors: some(4),
    failingFlushes: some(3),
    outages: random.chance(1, 3) ? 3 : 0,
    metadataDamage: some(3),
    crashes: 1 + some(4),
    spareSectors: random.chance(1, 2),
    manyBadSectors: random.chance(1, 8),
  };
}

const UNIT_SIZES = [512, 1024, 4096, 4096, 4096, 8192, 16384];
