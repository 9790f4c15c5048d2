import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { mapMemory } from './aligned-memory.js';
import { makeResident } from './resident-memory.js';

test('memory is real before it was touched, whether it may be locked or not', () => {
  const memory = mapMemory(SIZE_BYTES);
  try {
    expect(residentKib(memory.address)).toBe(0);
    expect(makeResident(memory.address, SIZE_BYTES)).toBeLessThanOrEqual(0);
    expect(residentKib(memory.address)).toBe(SIZE_BYTES / 1024);
  } finally {
    memory.unmap();
  }
});

/** Of the part of this mapping that starts at the address or before it: a lock splits mappings. */
function residentKib(address: number): number {
  let isThere = false;
  for (const line of readFileSync('/proc/self/smaps', 'utf8').split('\n')) {
    const range = /^([0-9a-f]+)-([0-9a-f]+) /.exec(line);
    if (range !== null) isThere = Number.parseInt(range[1]!, 16) === address;
    const resident = /^Rss: +(\d+) kB/.exec(line);
    if (isThere && resident !== null) return Number(resident[1]);
  }
  return 0;
}

const SIZE_BYTES = 1 << 20;
