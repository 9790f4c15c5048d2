import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { Counter } from '../engine/counters.js';
import { numberedDevice, original, times, touchesBlocks } from './testing/numbered-device.js';

const { EIO, ENODEV, ENODATA } = ERRNO;

/** A device with unit 0 on a spare, its main device answering everything with this errno from now on. */
function withDeadMain(errno: number): ReturnType<typeof numberedDevice> {
  const { rig, client } = numberedDevice({
    faults: 'main:\n  - { sectors: "0-7", on: [write], error: ENODATA }',
  });
  rig.open();
  expect(client.write(0, 8, 5000)).toBe(0);
  rig.stores[0]!.judge = () => errno;
  return { rig, client };
}

describe.each([
  ['ENODEV', ENODEV],
  ['EIO', EIO],
])('a main device that answers everything with %s', (_name, errno) => {
  it('fails reads and writes with EIO and opens the breaker, and no spare unit is used', () => {
    const { rig, client } = withDeadMain(errno);
    const { context } = rig.device!;
    const freeBefore = context.allocator.freeCount;
    expect(client.read(64, 8)).toBe(EIO);
    expect(client.write(128, 16, 1)).toBe(EIO);
    expect(client.write(131, 1, 1)).toBe(EIO);
    expect(client.flush()).toBe(EIO);
    expect(context.breaker.isOpen).toBe(true);
    expect(context.allocator.freeCount).toBe(freeBefore);
    expect(context.table.mappedCount).toBe(1);
    expect(rig.events.filter(({ kind }) => kind === 'breakerOpened')).toHaveLength(1);
  });

  it('does not lose a block by being dead', () => {
    const { rig, client } = withDeadMain(errno);
    for (let block = 64; block < 256; block += 8) expect(client.read(block, 8)).toBe(EIO);
    rig.stores[0]!.judge = () => 0;
    rig.kill();
    rig.open();
    expect(rig.device!.context.counters[Counter.blocksLost]).toBe(0);
    expect(client.read(64, 192)).toEqual(original(64, 192));
  });

  it('goes on serving units that live on a spare', () => {
    const { rig, client } = withDeadMain(errno);
    expect(client.read(64, 8)).toBe(EIO);
    expect(rig.device!.context.breaker.isOpen).toBe(true);
    expect(client.read(0, 8)).toEqual(times(8, 5000));
    expect(client.write(2, 3, 6000)).toBe(0);
    expect(client.read(0, 8)).toEqual([5000, 5000, 6000, 6000, 6000, 5000, 5000, 5000]);
  });

  it('is left in peace while the breaker is open, but for a probe now and then', () => {
    const { rig, client } = withDeadMain(errno);
    expect(client.write(64, 8, 1)).toBe(EIO);
    rig.scheduler.advance(10_000);
    expect(client.read(64, 8)).toBe(EIO);
    const { counts } = rig.stores[0]!;
    const before = counts.read + counts.write;
    for (let request = 0; request < 100; request += 1) expect(client.read(64, 8)).toBe(EIO);
    expect(counts.read + counts.write).toBe(before);
  });

  it('is used again when it answers again', () => {
    const { rig, client } = withDeadMain(errno);
    expect(client.write(64, 8, 1)).toBe(EIO);
    rig.stores[0]!.judge = () => 0;
    rig.scheduler.advance(2000);
    client.read(64, 8);
    rig.scheduler.advance(0);
    expect(rig.device!.context.breaker.isOpen).toBe(false);
    expect(client.read(72, 8)).toEqual(original(72, 8));
    expect(client.write(64, 8, 2)).toBe(0);
    expect(client.read(64, 8)).toEqual(times(8, 2));
    expect(rig.device!.context.table.mappedCount).toBe(1);
    expect(rig.events.map(({ kind }) => kind)).toContain('breakerClosed');
  });
});

describe('a main device that is gone for a while, by its own count of operations', () => {
  it('is used again afterwards with nothing lost', () => {
    const { rig, client } = numberedDevice({
      faults: 'main:\n  - { afterOps: 40, times: 60, on: [read, write, flush], error: ENODEV }',
    });
    rig.open();
    let failures = 0;
    for (let round = 0; round < 200; round += 1) {
      if (client.write(8 * round, 8, 9000 + round) === 0) continue;
      failures += 1;
      rig.scheduler.advance(2000);
    }
    expect(failures).toBeGreaterThan(2);
    expect(rig.device!.context.breaker.isOpen).toBe(false);
    expect(rig.device!.context.table.mappedCount).toBe(0);
    expect(client.read(8 * 199, 8)).toEqual(times(8, 9199));
    expect(client.read(0, 8)).toEqual(times(8, 9000));
  });
});

describe('a main device that has gone read-only and blames its sectors', () => {
  it('uses up no more than one wave of spare units, and goes on being read', () => {
    const { rig, client } = numberedDevice();
    rig.open();
    rig.stores[0]!.judge = ({ kind }) => (kind === 'write' ? ENODATA : 0);
    const { context } = rig.device!;
    const freeBefore = context.allocator.freeCount;
    let acknowledged = 0;
    for (let unit = 0; unit < 200; unit += 1) {
      if (client.write(unit * 8, 8, 7000 + unit) === 0) acknowledged += 1;
      client.read(4096, 8);
    }
    expect(context.breaker.isOpen).toBe(true);
    expect(freeBefore - context.allocator.freeCount).toBeLessThanOrEqual(64);
    expect(context.table.mappedCount).toBe(acknowledged);
    expect(client.write(8000, 8, 1)).toBe(EIO);
    for (let unit = 0; unit < acknowledged; unit += 1) {
      expect(client.read(unit * 8, 8)).toEqual(times(8, 7000 + unit));
    }
  });

  it('uses up no more than one wave for one large request', () => {
    const { rig, client } = numberedDevice();
    rig.open();
    rig.stores[0]!.judge = ({ kind }) => (kind === 'write' ? ENODATA : 0);
    const { context } = rig.device!;
    const freeBefore = context.allocator.freeCount;
    expect(client.write(0, 2048, 1)).toBe(EIO);
    expect(freeBefore - context.allocator.freeCount).toBeLessThanOrEqual(64);
    expect(context.breaker.isOpen).toBe(true);
  });

  it('uses up none where the error could be the device', () => {
    const { rig, client } = numberedDevice();
    rig.open();
    rig.stores[0]!.judge = ({ kind }) => (kind === 'write' ? EIO : 0);
    const { context } = rig.device!;
    const freeBefore = context.allocator.freeCount;
    for (let unit = 0; unit < 20; unit += 1) expect(client.write(unit * 8, 8, 1)).toBe(EIO);
    expect(context.allocator.freeCount).toBe(freeBefore);
    expect(context.breaker.isOpen).toBe(true);
  });

  it('is not taken for dead because of a wave of bad sectors in one place', () => {
    const { rig, client } = numberedDevice({
      faults: 'main:\n  - { sectors: "0-1599", on: [read, write], error: ENODATA }',
    });
    rig.open();
    for (let unit = 0; unit < 200; unit += 1) expect(client.write(unit * 8, 8, 7000 + unit)).toBe(0);
    expect(rig.device!.context.breaker.isOpen).toBe(false);
    expect(rig.device!.context.table.mappedCount).toBe(200);
  });

  it('is not taken for dead where nearly all is being zeroed and the rest has a bad block (seed 607858)', () => {
    const { rig, client } = numberedDevice();
    rig.open();
    // Of the places where a proof of life is tried, all but the last are locked: unit 967.
    const bad = [8 * 100, 8 * 967];
    rig.stores[0]!.judge = (io) => {
      const isBad = io.kind !== 'flush' && bad.some((block) => touchesBlocks(io, block, 1));
      return isBad ? EIO : 0;
    };
    expect(client.zero(0, 8 * 900)).toBe(0);
    expect(rig.device!.context.breaker.isOpen).toBe(false);
    expect(rig.device!.context.table.mappedCount).toBe(1);
  });

  it.each([2, 4, 64])('is not taken for dead where every unit in %i is bad', (distance) => {
    const { rig, client } = numberedDevice();
    rig.open();
    const unitBytes = 4096;
    rig.stores[0]!.judge = (io) => {
      if (io.kind !== 'write') return 0;
      const first = Math.floor(io.offsetBytes / unitBytes);
      const last = Math.floor((io.offsetBytes + io.lengthBytes - 1) / unitBytes);
      return Math.floor(last / distance) * distance >= first ? EIO : 0;
    };
    for (let unit = 0; unit < 256; unit += 1) expect(client.write(unit * 8, 8, 7000 + unit)).toBe(0);
    expect(rig.device!.context.breaker.isOpen).toBe(false);
    expect(rig.device!.context.table.mappedCount).toBe(256 / distance);
  });
});

describe('a main device that vanishes right after it has proved that it is alive', () => {
  it('costs no spare unit, although the proof is fresh (found by the simulator, seed 381)', () => {
    const { rig, client } = numberedDevice({
      faults: 'main:\n  - { sectors: "0-7", on: [write], error: EIO }',
    });
    rig.open();
    // An ambiguous error of one unit, with a proof of life: the unit moves.
    expect(client.write(0, 8, 5000)).toBe(0);
    rig.stores[0]!.judge = () => EIO;
    expect(client.write(64, 128, 1)).toBe(EIO);
    expect(rig.device!.context.table.mappedCount).toBe(1);
    expect(rig.device!.context.breaker.isOpen).toBe(true);
  });

  it('costs none while it is tried again, where a unit is a single block (seed 614395)', () => {
    const { rig, client } = numberedDevice({ mainBytes: 512 });
    rig.open();
    rig.stores[0]!.judge = () => ENODEV;
    expect(client.write(0, 1, 1)).toBe(EIO);
    // It answers one read, the one before the rewrite.
    let answers = 1;
    rig.stores[0]!.judge = () => (answers-- > 0 ? 0 : ENODEV);
    rig.scheduler.advance(5000);
    expect(answers).toBeLessThan(0);
    expect(rig.device!.context.table.mappedCount).toBe(0);
    expect(rig.device!.context.breaker.isOpen).toBe(true);
  });
});

describe('a small main device of which most is being written', () => {
  it('is not gone because the only place that is left to prove that it is alive is bad (seed 702354)', () => {
    const { rig, client } = numberedDevice({
      mainBytes: 26 * 4096,
      faults: 'main:\n  - { sectors: "196-203", on: [read, write], error: EIO }',
    });
    rig.open();
    expect(client.write(13, 187, 5000)).toBe(0);
    expect(rig.device!.context.breaker.isOpen).toBe(false);
    expect(rig.device!.context.table.mappedCount).toBe(1);
    expect(client.read(13, 187)).toEqual(times(187, 5000));
  });

  it('is gone if it answers no reads either', () => {
    const { rig, client } = numberedDevice({ mainBytes: 26 * 4096 });
    rig.open();
    rig.stores[0]!.judge = () => EIO;
    expect(client.write(13, 187, 5000)).toBe(EIO);
    expect(rig.device!.context.breaker.isOpen).toBe(true);
    expect(rig.device!.context.table.mappedCount).toBe(0);
  });
});

describe('a small main device of which nearly all units live on spares', () => {
  it('lives where it still gives what they left, though the last unit there is bad (seeds 730013070, 730021884)', () => {
    const { rig, client } = numberedDevice({
      mainBytes: 64 << 10,
      faults: 'main:\n  - { sectors: "120-121", on: [read, write], error: EIO }',
    });
    const { byHand, context } = rig.open();
    for (let unit = 0; unit < 15; unit += 1) byHand.move(unit, -1, () => {});
    rig.scheduler.advance(10_000);
    expect(context.table.mappedCount).toBe(15);
    expect(client.read(121, 1)).toBe(EIO);
    expect(client.write(121, 1, 6000)).toBe(0);
    expect([context.breaker.isOpen, client.read(121, 2)]).toEqual([false, [6000, 123]]);
  });

  it('lives as well where there is none left to be tried (seed 115071)', () => {
    const { rig, client } = numberedDevice({
      mainBytes: 64 << 10,
      faults: 'main:\n  - { sectors: "0-1", on: [write], error: EIO }',
    });
    const { byHand, context } = rig.open();
    for (let unit = 1; unit < 16; unit += 1) byHand.move(unit, -1, () => {});
    rig.scheduler.advance(10_000);
    expect(context.table.mappedCount).toBe(15);
    expect([client.write(0, 1, 6000), context.breaker.isOpen]).toEqual([0, false]);
    expect(client.read(0, 2)).toEqual([6000, 2]);
  });

  it('is back where it gives what they left, though it takes no writes where the last few live (seed 3782664084)', () => {
    const { rig, client } = numberedDevice({ mainBytes: 64 << 10 });
    const { byHand, context } = rig.open();
    for (let unit = 3; unit < 16; unit += 1) byHand.move(unit, -1, () => {});
    rig.scheduler.advance(10_000);
    rig.stores[0]!.judge = () => ENODEV;
    expect([client.write(0, 1, 6000), context.breaker.isOpen]).toEqual([EIO, true]);
    rig.stores[0]!.judge = (io) => (io.kind === 'write' ? ENODATA : 0);
    rig.scheduler.advance(5000);
    expect([client.write(0, 1, 6000), context.breaker.isOpen]).toEqual([0, false]);
    expect(client.read(0, 2)).toEqual([6000, 2]);
  });
});
