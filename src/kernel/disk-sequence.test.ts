import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { diskSequence } from './disk-sequence.js';

test('A partition has the sequence number of its disk; an older kernel tells none', () => {
  const root = mkdtempSync(join(tmpdir(), 'dm-remap-sysfs-'));
  try {
    mkdirSync(join(root, 'devices/sda/sda1'), { recursive: true });
    mkdirSync(join(root, 'devices/old'));
    mkdirSync(join(root, 'dev/block'), { recursive: true });
    writeFileSync(join(root, 'devices/sda/diskseq'), '7\n');
    writeFileSync(join(root, 'devices/sda/sda1/partition'), '1\n');
    symlinkSync('../../devices/sda', join(root, 'dev/block/8:0'));
    symlinkSync('../../devices/sda/sda1', join(root, 'dev/block/8:1'));
    symlinkSync('../../devices/old', join(root, 'dev/block/8:16'));
    expect([0x800, 0x801, 0x810, 0x820].map((number) => diskSequence(number, root))).toEqual([
      7,
      7,
      null,
      null,
    ]);
  } finally {
    rmSync(root, { recursive: true });
  }
});
