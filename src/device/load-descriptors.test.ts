import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { runProcedure } from '../engine/testing/run-procedure.js';
import { exampleSuperblock } from '../format/testing/example-set.js';
import { plainMemory } from '../ports/io-memory.js';
import { RECOVERY_READ_BYTES } from './limits.js';
import { loadDescriptors } from './load-descriptors.js';

describe('loading descriptors', () => {
  it('goes on where a spare vanishes meanwhile: its copies can not be read', () => {
    const superblock = exampleSuperblock();
    const gone = new Set<number>();
    const memory = plainMemory(superblock.copies.length * RECOVERY_READ_BYTES);
    const load = loadDescriptors({
      superblock,
      targetOfSpare: (index) => (gone.has(index) ? undefined : 1 + index),
      memory,
      bufferOffset: 0,
      accept: () => {},
      acceptPage: () => {},
    });
    const { value } = runProcedure(load, () => {
      gone.add(1);
      return -ERRNO.EIO;
    });
    // Every spare has one page that was written, and no copy of it could be read.
    expect(value.lostPages).toHaveLength(2);
  });
});
