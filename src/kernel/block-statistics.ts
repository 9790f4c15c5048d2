import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** What the kernel has counted of a block device since it was added. */
export interface BlockStatistics {
  /** Reads and writes that have ended. */
  readonly ioCount: number;
  /** How long they took together, from their arrival; the kernel counts milliseconds. */
  readonly totalTimeNs: number;
}

/** Of `/dev/NAME`, a whole disk; undefined where the kernel does not tell. */
export function blockStatistics(path: string, sysfsRoot = '/sys'): BlockStatistics | undefined {
  try {
    return parseBlockStatistics(readFileSync(`${sysfsRoot}/block/${basename(path)}/stat`, 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // It is being taken away, or /sys is not mounted.
    if (code === 'ENOENT' || code === 'ENODEV') return undefined;
    throw error;
  }
}

/** Documentation/block/stat.rst. */
export function parseBlockStatistics(text: string): BlockStatistics | undefined {
  const numbers = text.trim().split(/\s+/).map(Number);
  const [reads, readMs, writes, writeMs] = [0, 3, 4, 7].map((index) => numbers[index] ?? Number.NaN);
  const statistics = { ioCount: reads! + writes!, totalTimeNs: (readMs! + writeMs!) * NS_PER_MS };
  return Number.isNaN(statistics.ioCount + statistics.totalTimeNs) ? undefined : statistics;
}

const NS_PER_MS = 1_000_000;
