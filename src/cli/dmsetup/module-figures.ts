import type { DeviceResource } from '../../control/schema/device.js';
import { healthScore } from '../../library/health-score.js';

/**
 * The 31 fields of the kernel module's v4 status line, in its order and units. Sectors are 512 bytes. What is not
 * measured here is 0: docs/dmsetup-face.md says which.
 */
export interface ModuleFigures {
  readonly startSector: number;
  readonly lengthSectors: number;
  readonly target: string;
  readonly version: string;
  readonly mainPath: string;
  readonly sparePath: string;
  readonly reads: number;
  readonly writes: number;
  readonly remaps: number;
  readonly errors: number;
  readonly activeMappings: number;
  readonly ioOperations: number;
  readonly totalTimeNs: number;
  readonly averageLatencyNs: number;
  readonly throughputBytesPerSecond: number;
  readonly sectorBytes: number;
  readonly spareCapacitySectors: number;
  readonly totalIos: number;
  readonly normalIos: number;
  readonly remappedIos: number;
  readonly remappedSectors: number;
  readonly cacheHits: number;
  readonly cacheMisses: number;
  readonly fastPathHits: number;
  readonly slowPathHits: number;
  readonly healthScans: number;
  readonly healthScore: number;
  readonly hotspots: number;
  readonly cacheHitPercent: number;
  readonly state: 'operational' | 'maintenance';
  readonly mode: 'real';
}

/** `nowSeconds`: since 1970, for the mean throughput. */
export function moduleFigures(device: DeviceResource, nowSeconds: number): ModuleFigures {
  const { counters, sinceSeconds, scanCount } = device.recently;
  const transfers = counters.reads + counters.writes;
  const seconds = Math.max(1, nowSeconds - sinceSeconds);
  return {
    startSector: 0,
    lengthSectors: device.sizeBytes / SECTOR_BYTES,
    target: V4_TARGET,
    version: 'v4.0-phase1.4',
    mainPath: device.main.path,
    sparePath: device.spares[0]!.path,
    reads: counters.reads,
    writes: counters.writes,
    remaps: automaticRemaps(device),
    errors: readErrors(device) + writeErrors(device),
    activeMappings: device.remappedUnits,
    ioOperations: transfers + counters.flushes + counters.discards + counters.writeZeroes,
    totalTimeNs: device.blockDevice?.totalTimeNs ?? 0,
    averageLatencyNs: meanLatencyNs(device.blockDevice),
    throughputBytesPerSecond: Math.round((counters.readBytes + counters.writtenBytes) / seconds),
    sectorBytes: SECTOR_BYTES,
    spareCapacitySectors: spareSectors(device),
    totalIos: transfers,
    normalIos: 0,
    remappedIos: 0,
    remappedSectors: device.remappedUnits * unitSectors(device),
    cacheHits: 0,
    cacheMisses: 0,
    fastPathHits: 0,
    slowPathHits: 0,
    healthScans: scanCount,
    healthScore: healthScore(device),
    hotspots: 0,
    cacheHitPercent: 0,
    state: device.suspended ? 'maintenance' : 'operational',
    mode: 'real',
  };
}

/** 0 where nobody measures. */
export function meanLatencyNs(blockDevice: DeviceResource['blockDevice']): number {
  if (blockDevice === null || blockDevice.ioCount === 0) return 0;
  return Math.round(blockDevice.totalTimeNs / blockDevice.ioCount);
}

export function unitSectors({ unitBytes }: DeviceResource): number {
  return unitBytes / SECTOR_BYTES;
}

/** Of the main device and of spares; retries made most of them good. */
export function readErrors({ recently: { counters } }: DeviceResource): number {
  return counters.mainReadErrors + counters.spareReadErrors;
}

export function writeErrors({ recently: { counters } }: DeviceResource): number {
  return counters.mainWriteErrors + counters.spareWriteErrors;
}

export function automaticRemaps({ recently: { counters } }: DeviceResource): number {
  return counters.remapsOfWrites + counters.remapsOfReads + counters.remapsOfSpares;
}

function spareSectors({ spares }: DeviceResource): number {
  return spares.reduce((sum, { sizeBytes }) => sum + Math.floor(sizeBytes / SECTOR_BYTES), 0);
}

const SECTOR_BYTES = 512;
/** dm-remap-v4-real and dm-remap were never registered: the module's own line has this name always. */
const V4_TARGET = 'dm-remap-v4';
