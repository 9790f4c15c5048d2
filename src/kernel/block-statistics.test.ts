import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { blockStatistics, parseBlockStatistics } from './block-statistics.js';

describe('what the kernel has counted of a block device', () => {
  it('is the reads and writes, and their time', () => {
    expect(parseBlockStatistics('  100 1 800 25 50 2 400 75 0 90 100 7 0 56 1 3 2\n')).toEqual({
      ioCount: 150,
      totalTimeNs: 100_000_000,
    });
    for (const text of ['', '1 2 3', 'a b c d e f g h']) expect(parseBlockStatistics(text)).toBeUndefined();
  });

  it('is found by the name of the device; there is nothing of one that is gone', () => {
    const root = mkdtempSync(join(tmpdir(), 'dmr-'));
    try {
      mkdirSync(join(root, 'block/ublkb3'), { recursive: true });
      writeFileSync(join(root, 'block/ublkb3/stat'), '1 0 8 2 3 0 24 4 0 0 0\n');
      expect(blockStatistics('/dev/ublkb3', root)).toEqual({ ioCount: 4, totalTimeNs: 6_000_000 });
      expect(blockStatistics('/dev/ublkb4', root)).toBeUndefined();
    } finally {
      rmSync(root, { recursive: true });
    }
  });

  it('has the form that this kernel writes', () => {
    const names = existsSync('/sys/block') ? readdirSync('/sys/block') : [];
    for (const name of names) expect(blockStatistics(`/dev/${name}`)?.ioCount).toBeGreaterThanOrEqual(0);
  });
});
