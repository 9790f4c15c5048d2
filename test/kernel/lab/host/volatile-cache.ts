import { readSync, writeSync } from 'node:fs';

/** A write that is not known to be on the medium yet. */
interface CachedWrite {
  readonly offsetBytes: number;
  readonly data: Buffer;
  /** By block: 0 where a durable write came later, so that this one must not land on top of it. */
  readonly live: Uint8Array;
}

/**
 * A disk's write cache as a power cut finds it. Two images: what the disk answers (`current`), and what is on the
 * medium (`medium`). Writes go to the first one and are remembered; a flush brings them to the second. At a power cut
 * a random part of what is remembered arrives, in any order, some of it torn between blocks.
 */
export class VolatileCache {
  private readonly mediumFd: number;
  private readonly currentFd: number;
  private readonly blockBytes: number;
  private writes: CachedWrite[] = [];
  private cachedBytes = 0;

  constructor(mediumFd: number, currentFd: number, blockBytes: number) {
    this.mediumFd = mediumFd;
    this.currentFd = currentFd;
    this.blockBytes = blockBytes;
  }

  read(offsetBytes: number, lengthBytes: number): Buffer {
    const data = Buffer.alloc(lengthBytes);
    readSync(this.currentFd, data, 0, lengthBytes, offsetBytes);
    return data;
  }

  /** Keeps `data`. `durable`: it is on the medium when this returns (FUA). */
  write(offsetBytes: number, data: Buffer, durable: boolean): void {
    writeSync(this.currentFd, data, 0, data.length, offsetBytes);
    if (durable) {
      writeSync(this.mediumFd, data, 0, data.length, offsetBytes);
      this.supersede(offsetBytes, data.length);
      return;
    }
    this.writes.push({ offsetBytes, data, live: new Uint8Array(data.length / this.blockBytes).fill(1) });
    this.cachedBytes += data.length;
    while (this.cachedBytes > MAX_CACHED_BYTES) this.writeBackOldest();
  }

  flush(): void {
    while (this.writes.length > 0) this.writeBackOldest();
  }

  /** The power goes. `random(limit)` gives numbers from 0 to `limit` - 1. Says what became of the cache. */
  powerLost(random: (limit: number) => number): PowerLoss {
    const writes = shuffled(this.writes, random);
    const loss = { lost: 0, kept: 0, torn: 0 };
    for (const write of writes) {
      const fate = FATES[random(FATES.length)]!;
      loss[fate] += 1;
      if (fate === 'kept') this.toMedium(write, () => true);
      if (fate === 'torn') this.toMedium(write, () => random(2) === 1);
    }
    for (const write of writes) this.reread(write);
    this.writes = [];
    this.cachedBytes = 0;
    return loss;
  }

  /** As a disk does by itself when its cache is full. */
  private writeBackOldest(): void {
    const write = this.writes.shift()!;
    this.cachedBytes -= write.data.length;
    this.toMedium(write, () => true);
  }

  private toMedium({ offsetBytes, data, live }: CachedWrite, chosen: () => boolean): void {
    for (let block = 0; block < live.length; block++) {
      if (!live[block] || !chosen()) continue;
      const at = block * this.blockBytes;
      writeSync(this.mediumFd, data, at, this.blockBytes, offsetBytes + at);
    }
  }

  private supersede(offsetBytes: number, lengthBytes: number): void {
    const end = offsetBytes + lengthBytes;
    for (const write of this.writes) {
      const first = Math.max(0, offsetBytes - write.offsetBytes) / this.blockBytes;
      const last =
        (Math.min(end, write.offsetBytes + write.data.length) - write.offsetBytes) / this.blockBytes;
      if (first < last) write.live.fill(0, first, last);
    }
  }

  private reread({ offsetBytes, data }: CachedWrite): void {
    readSync(this.mediumFd, data, 0, data.length, offsetBytes);
    writeSync(this.currentFd, data, 0, data.length, offsetBytes);
  }
}

/** How many writes of the cache met which fate. */
export interface PowerLoss {
  readonly lost: number;
  readonly kept: number;
  readonly torn: number;
}

function shuffled<Item>(items: readonly Item[], random: (limit: number) => number): Item[] {
  const result = [...items];
  for (let index = result.length - 1; index > 0; index--) {
    const other = random(index + 1);
    [result[index], result[other]] = [result[other]!, result[index]!];
  }
  return result;
}

/** Half of the writes are lost, a quarter arrives, a quarter is torn. */
const FATES = ['lost', 'lost', 'kept', 'torn'] as const;

/** Of a large disk drive. */
const MAX_CACHED_BYTES = 64 << 20;
