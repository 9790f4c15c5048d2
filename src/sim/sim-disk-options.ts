import type { DeviceIdentity, Geometry } from '../ports/block-store.js';
import { PLAIN_QUEUE } from '../ports/block-store.js';
import type { IoMemory } from '../ports/io-memory.js';
import type { Random } from './random.js';
import type { SimClock } from './sim-clock.js';
import type { SimDisk } from './sim-disk.js';
import type { SimIo } from './sim-io.js';

/** What a simulated disk is like, and who hears of it. */
export interface SimDiskOptions {
  readonly id: number;
  /** To begin with. */
  readonly target: number;
  readonly sizeBytes: number;
  readonly blockBytes: number;
  readonly hasVolatileCache: boolean;
  readonly canZero: boolean;
  readonly hasNativeFua: boolean;
  /** What a failed flush has dropped can be read for some time, as from a page cache above the disk. */
  readonly hasPageCache: boolean;
  readonly identity: DeviceIdentity;
  /** An I/O takes up to so long. */
  readonly latencyUs: number;
  /** One of so many takes much longer. */
  readonly stragglerOdds: number;
  /** When it has vanished it says EIO to everything, not what tells of a device. */
  readonly saysIo: boolean;
  readonly memory: IoMemory;
  readonly clock: SimClock;
  readonly random: Random;
  readonly watcher: DiskWatcher;
  /** Of its size; `stable` may hold anything. */
  readonly contents: Uint8Array;
  readonly stable: Uint8Array;
  /** A write here that is cut off may end at any byte: checksums tell. Elsewhere blocks are written whole or not. */
  readonly tearsInside: (target: number, offsetBytes: number) => boolean;
}

/** Hears what really happens on the disks. */
export interface DiskWatcher {
  answered(io: SimIo, result: number): void;
  /** An I/O failed because of this block. */
  blockFailed(disk: SimDisk, block: number): void;
  /** What this block holds can't be read from now on. */
  damaging(disk: SimDisk, block: number): void;
  /** This block is about to go back to what is on stable storage; with `later` not now, but some time. */
  reverting(disk: SimDisk, block: number, later?: boolean): void;
  /** What was told of some time ago happens. */
  revertingLate(disk: SimDisk): void;
  flushFailed(disk: SimDisk): void;
  /** Whoever asked for a flush that failed has heard of it by now. */
  flushFailureHeard(): void;
}

export function geometryOf(options: SimDiskOptions): Geometry {
  const { sizeBytes, blockBytes, canZero, hasNativeFua, hasVolatileCache, identity } = options;
  return {
    sizeBytes,
    logicalBlockBytes: blockBytes,
    physicalBlockBytes: 4096,
    memoryAlignmentBytes: 512,
    rotational: true,
    readOnly: false,
    queue: {
      ...PLAIN_QUEUE,
      volatileCache: hasVolatileCache,
      nativeFua: hasNativeFua,
      canWriteZeroes: canZero,
    },
    identity,
  };
}
