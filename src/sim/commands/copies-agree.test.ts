import { describe, expect, it } from 'vitest';
import { assert } from '../../base/assert.js';
import { BlockFlag } from '../disk-faults.js';
import { Machine } from '../machine.js';
import { Random } from '../random.js';
import { planOf } from '../run-seed.js';
import { SimClock } from '../sim-clock.js';
import { findDisagreement } from './copies-agree.js';
import { wipeMetadata } from './wipe-metadata.js';

const WATCHER = {
  answered() {},
  blockFailed() {},
  damaging() {},
  reverting() {},
  revertingLate() {},
  flushFailed() {},
  flushFailureHeard() {},
};

/** Freshly formatted, with three copies or more; `at`: where one begins that is not the safe one. */
function formatted() {
  let seed = 1;
  while (planOf(seed).scenario.copyCount < 3) seed += 1;
  const { scenario } = planOf(seed);
  const machine = new Machine(scenario, new Random(seed), new SimClock(), WATCHER);
  assert(machine.format(), 'is a set');
  const { copies } = machine.layout!;
  const { spareIndex, offsetBytes: at } = copies.find((_, index) => !scenario.safeCopies.includes(index))!;
  return { machine, disk: machine.disks[1 + spareIndex]!, at, blockBytes: scenario.blockBytes };
}

describe('the copies of a set', () => {
  it('agree after formatting', () => {
    expect(findDisagreement(formatted().machine)).toBeUndefined();
  });

  it.each([
    ['slot 1 of the superblock', 4096],
    ['the note', 8192],
  ])('do not when a byte of %s of one is wrong', (what, within) => {
    const { machine, disk, at } = formatted();
    disk.contents[at + within + 100]! ^= 1;
    expect(findDisagreement(machine)).toContain(what);
  });

  it('do not when the disk tells a lie about one', () => {
    const { machine, disk, at } = formatted();
    disk.lies.set(at + 4096, new Uint8Array(4096));
    expect(findDisagreement(machine)).toContain('slot 1 of the superblock');
  });

  it('may differ where the disk can not be written', () => {
    const { machine, disk, at, blockBytes } = formatted();
    disk.contents[at + 4096]! ^= 1;
    disk.faults.set((at + 4096) / blockBytes, BlockFlag.unwritable);
    expect(findDisagreement(machine)).toBeUndefined();
  });

  it('are all gone when they are wiped', () => {
    const { machine } = formatted();
    wipeMetadata(machine, 'wipeAll');
    expect(findDisagreement(machine)).toBe('no superblock is left');
  });
});
