import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { Counter } from '../engine/counters.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import { numberedDevice, original, touchesBlocks, touchesMetadata } from './testing/numbered-device.js';
import type { TestClient } from './testing/test-client.js';
import { vanish } from './testing/vanishing-device.js';

const { EIO, ENODATA, ENOSPC } = ERRNO;

/** Block 3 has just been proven bad by a read, with the rest of the device alive; then the device vanished. */
function vanishedAfterProof(): { rig: DeviceOnMemory; client: TestClient } {
  const { rig, client } = numberedDevice();
  rig.open();
  rig.stores[0]!.judge = (io) => (io.kind === 'read' && touchesBlocks(io, 3, 1) ? EIO : 0);
  expect(client.read(0, 8)).toBe(EIO);
  expect(rig.device!.context.counters[Counter.blocksLost]).toBe(1);
  rig.stores[0]!.judge = () => EIO;
  return { rig, client };
}

/** The device is back, and the pause after which that is noticed is over. */
function comeBack(rig: DeviceOnMemory, client: TestClient): void {
  rig.stores[0]!.judge = () => 0;
  rig.scheduler.advance(2000);
  client.read(1024, 8);
  rig.scheduler.advance(0);
  expect(rig.device!.context.breaker.isOpen).toBe(false);
}

describe('a main device that vanishes right after a bad sector was proven', () => {
  it.each([
    ['reads', (client: TestClient) => client.read(64, 64)],
    ['a write that covers half a unit', (client: TestClient) => client.write(64, 4, 5000)],
  ])('has no block declared lost by %s, and everything reads when it is back', (_name, request) => {
    const { rig, client } = vanishedAfterProof();
    const { context } = rig.device!;
    expect(request(client)).toBe(EIO);
    expect(context.breaker.isOpen).toBe(true);
    expect(context.counters[Counter.blocksLost]).toBe(1);
    expect(context.table.mappedCount).toBe(1);
    comeBack(rig, client);
    expect(client.read(64, 64)).toEqual(original(64, 64));
    rig.kill();
    rig.open();
    expect(client.read(64, 64)).toEqual(original(64, 64));
  });
});

describe('a main device that is away for a moment', () => {
  it.each([
    1, 2, 3,
  ])('and again after %i I/Os has no block declared lost by a read (seed 2017223634)', (thereCount) => {
    for (const againCount of [2, 6, 10, 16, 24]) {
      for (let ioCount = 1; ioCount < 28; ioCount += 1) {
        const { rig, client } = numberedDevice();
        rig.open();
        let io = 0;
        rig.stores[0]!.judge = () => {
          io += 1;
          const isAway =
            io <= ioCount || (io > ioCount + thereCount && io <= ioCount + thereCount + againCount);
          return isAway ? EIO : 0;
        };
        client.read(64, 8);
        const { counters } = rig.device!.context;
        expect(counters[Counter.blocksLost], `${ioCount}, then ${againCount}`).toBe(0);
      }
    }
  });

  it.each([...Array(24).keys()])('has nothing moved or lost by a write, %i I/Os long', (ioCount) => {
    const { rig, client } = numberedDevice();
    rig.open();
    let left = ioCount;
    rig.stores[0]!.judge = () => (left-- > 0 ? EIO : 0);
    const answer = client.write(64, 8, 5000);
    const { context } = rig.device!;
    expect([0, EIO]).toContain(answer);
    expect(answer === 0 || context.breaker.isOpen).toBe(true);
    expect([context.table.mappedCount, context.counters[Counter.blocksLost]]).toEqual([0, 0]);
  });
});

describe('a main device that has no space for a write', () => {
  it('is gone if it answers no reads either, and EIO is the answer', () => {
    const { rig, client } = numberedDevice();
    rig.open();
    vanish(rig, 0);
    expect(client.write(64, 8, 5000)).toBe(EIO);
    expect(rig.device!.context.breaker.isOpen).toBe(true);
  });

  it('is full if it does, and ENOSPC is', () => {
    const { rig, client } = numberedDevice();
    rig.open();
    rig.stores[0]!.judge = ({ kind }) => (kind === 'write' ? ENOSPC : 0);
    expect(client.write(64, 8, 5000)).toBe(ENOSPC);
    expect(rig.device!.context.breaker.isOpen).toBe(false);
  });
});

describe('a block that the write probe itself has spoilt', () => {
  it.each([
    ...Array(14).keys(),
  ])('is not one at which the device went away and, %i I/Os later, was back only to go again (seed 741010479)', (ioCount) => {
    for (let thereCount = 1; thereCount <= 3; thereCount += 1) {
      for (let againCount = 1; againCount <= 4; againCount += 1) {
        const { rig, client } = numberedDevice();
        rig.open();
        let io = -1;
        rig.stores[0]!.judge = ({ kind, offsetBytes }) => {
          if (kind === 'write' && offsetBytes < 4096) return EIO;
          if (io >= 0 || kind === 'write') io += 1;
          const again = io - ioCount - thereCount;
          const isAway = io >= 0 && (io <= ioCount || (again > 0 && again <= againCount));
          return isAway ? EIO : 0;
        };
        client.write(0, 8, 5000);
        const { table } = rig.device!.context;
        const movedCount = table.mappedCount - (table.find(0) === -1 ? 0 : 1);
        expect([io >= ioCount, movedCount], `${thereCount}, then ${againCount}`).toEqual([true, 0]);
      }
    }
  });

  it('and for which the spare has bad places only: these are retired, and no others taken (seed 2795828348)', () => {
    const { rig, client } = numberedDevice();
    rig.open();
    const { superblock } = rig.device!.metadata;
    let spoilt = -1;
    rig.stores[0]!.judge = (io) => {
      if (io.kind !== 'read' && touchesBlocks(io, 0, 8)) return EIO;
      if (io.kind === 'write' && spoilt === -1) spoilt = io.offsetBytes / 512;
      return spoilt !== -1 && touchesBlocks(io, spoilt, 1) ? EIO : 0;
    };
    rig.stores[1]!.judge = (io) => (io.kind === 'write' && !touchesMetadata(io, superblock, 1) ? ENODATA : 0);
    expect(client.write(0, 8, 5000)).toBe(EIO);
    const { freeCount } = rig.device!.context.allocator;
    expect([spoilt === -1, rig.device!.context.table.retiredCount]).toEqual([false, 16]);
    rig.kill();
    expect(rig.open().context.allocator.freeCount).toBe(freeCount);
  });

  it('is saved: its unit lives on the spare, as it was before, also after a kill', () => {
    const { rig, client } = numberedDevice();
    rig.open();
    let spoilt = -1;
    rig.stores[0]!.judge = (io) => {
      if (io.kind !== 'read' && touchesBlocks(io, 0, 8)) return EIO;
      if (io.kind === 'write' && spoilt === -1) spoilt = io.offsetBytes / 512;
      return spoilt !== -1 && touchesBlocks(io, spoilt, 1) ? EIO : 0;
    };
    expect(client.write(0, 8, 5000)).toBe(0);
    expect(spoilt, 'the probe wrote somewhere else').toBeGreaterThan(7);
    for (let round = 0; round < 2; round += 1) {
      expect(client.read(spoilt, 8)).toEqual(original(spoilt, 8));
      expect(rig.device!.context.table.find(spoilt / 8)).not.toBe(-1);
      expect(rig.device!.context.counters[Counter.blocksLost]).toBe(0);
      rig.kill();
      rig.open();
    }
  });
});
