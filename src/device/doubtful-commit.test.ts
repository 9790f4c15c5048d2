import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { DESCRIPTORS_PER_PAGE } from '../format/layout.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import {
  numberedDevice,
  original,
  times,
  touchesBlocks,
  touchesMetadata,
} from './testing/numbered-device.js';
import type { TestClient } from './testing/test-client.js';

const { EIO, ENODATA } = ERRNO;

const BAD_WRITES = 'main:\n  - { sectors: "10-11,80-95", on: [write, writeZeroes], error: ENODATA }';

/** No copy of the metadata takes a write. */
function refuseMetadata(rig: DeviceOnMemory): void {
  const { superblock } = rig.device!.metadata;
  rig.stores[1]!.judge = (io) => (io.kind === 'write' && touchesMetadata(io, superblock, 1) ? EIO : 0);
}

/** Every copy takes the write, and the flush after it fails: nobody knows what is on the medium. In truth it is there. */
function failMetadataFlushes(rig: DeviceOnMemory): void {
  const { superblock } = rig.device!.metadata;
  let metadataWritten = false;
  rig.stores[1]!.judge = (io) => {
    if (io.kind === 'write') metadataWritten = touchesMetadata(io, superblock, 1);
    return io.kind === 'flush' && metadataWritten ? EIO : 0;
  };
}

function heal(rig: DeviceOnMemory): void {
  rig.stores[1]!.judge = () => 0;
}

function reopen(rig: DeviceOnMemory): void {
  rig.kill();
  heal(rig);
  rig.open();
}

function openDevice(): { rig: DeviceOnMemory; client: TestClient } {
  const { rig, client } = numberedDevice({ faults: BAD_WRITES });
  rig.open();
  expect(client.write(88, 8, 4000)).toBe(0);
  return { rig, client };
}

/** The next unit that is allocated has its descriptor on another page. */
function takeRestOfPage(rig: DeviceOnMemory): void {
  const { allocator } = rig.device!.context;
  const next = allocator.allocate();
  allocator.takeRange(next, DESCRIPTORS_PER_PAGE - (next % DESCRIPTORS_PER_PAGE));
}

function expectOldOrNew(
  client: TestClient,
  first: number,
  count: number,
  old: number[],
  contents: number,
): void {
  const blocks = client.read(first, count);
  if (typeof blocks === 'number') throw new Error(`read fails with errno ${blocks}`);
  for (const [index, block] of blocks.entries()) expect([old[index], contents]).toContain(block);
}

describe.each([
  ['takes no write', refuseMetadata],
  ['takes writes and fails to flush them', failMetadataFlushes],
])('metadata that %s', (_name, spoil) => {
  it('makes a write that has to move a unit fail, and leaves the old or the new, before and after a kill', () => {
    const { rig, client } = openDevice();
    expect(client.write(80, 8, 5000)).toBe(0);
    spoil(rig);
    expect(client.write(8, 8, 6000)).toBe(EIO);
    expectOldOrNew(client, 8, 8, original(8, 8), 6000);
    reopen(rig);
    expectOldOrNew(client, 8, 8, original(8, 8), 6000);
    expect(client.read(80, 8)).toEqual(times(8, 5000));
    expect(client.read(0, 8)).toEqual(original(0, 8));
  });

  it('does not bring abandoned contents back over a later acknowledged write', () => {
    const { rig, client } = openDevice();
    spoil(rig);
    expect(client.write(8, 8, 6000)).toBe(EIO);
    expect(client.write(8, 8, 6001)).toBe(EIO);
    heal(rig);
    expect(client.write(8, 8, 7000)).toBe(0);
    expect(client.read(8, 8)).toEqual(times(8, 7000));
    reopen(rig);
    expect(client.read(8, 8)).toEqual(times(8, 7000));
  });

  it('does not bring them back over a later write that the main device would take', () => {
    const { rig, client } = openDevice();
    spoil(rig);
    expect(client.write(8, 8, 6000)).toBe(EIO);
    heal(rig);
    expect(client.write(12, 2, 7000)).toBe(0);
    const before = client.read(8, 8);
    expect(client.read(12, 2)).toEqual(times(2, 7000));
    reopen(rig);
    expect(client.read(12, 2)).toEqual(times(2, 7000));
    expect(client.read(8, 8)).toEqual(before);
  });

  it('does not bring them back from another page than the one that the later write is recorded on', () => {
    const { rig, client } = openDevice();
    spoil(rig);
    for (let round = 0; round < 3; round += 1) {
      expect(client.write(8, 8, 6000 + round)).toBe(EIO);
      takeRestOfPage(rig);
    }
    heal(rig);
    expect(client.write(8, 8, 7000)).toBe(0);
    reopen(rig);
    expect(client.read(8, 8)).toEqual(times(8, 7000));
    reopen(rig);
    expect(client.read(8, 8)).toEqual(times(8, 7000));
  });

  it('does not bring them back over zeroes', () => {
    const { rig, client } = openDevice();
    spoil(rig);
    expect(client.write(8, 8, 6000)).toBe(EIO);
    heal(rig);
    expect(client.zero(12, 4)).toBe(0);
    reopen(rig);
    expect(client.read(12, 4)).toEqual(times(4, 0));
  });

  it('does not bring the place before the last back when a unit on a spare moves', () => {
    const { rig, client } = openDevice();
    expect(client.write(80, 8, 5000)).toBe(0);
    const { shape, table } = rig.device!.context;
    const place = shape.spareOffsetBytes(table.find(10)) / 512;
    spoil(rig);
    const spoilt = rig.stores[1]!.judge;
    rig.stores[1]!.judge = (io) =>
      io.kind === 'write' && touchesBlocks(io, place, 8) ? ENODATA : spoilt(io);
    expect(client.write(80, 8, 6000)).toBe(EIO);
    rig.stores[1]!.judge = () => 0;
    expect(client.write(82, 1, 7000)).toBe(0);
    expectOldOrNew(client, 80, 2, [5000, 5000], 6000);
    reopen(rig);
    expect(client.read(82, 1)).toEqual([7000]);
  });

  it('does not turn a salvage that could not be recorded against a later write', () => {
    const { rig, client } = openDevice();
    spoil(rig);
    rig.stores[0]!.judge = (io) => (io.kind === 'read' && touchesBlocks(io, 204, 1) ? ENODATA : 0);
    expect(client.read(200, 8)).toBe(EIO);
    expect(client.read(200, 4)).toEqual(original(200, 4));
    rig.stores[0]!.judge = () => 0;
    heal(rig);
    expect(client.write(200, 8, 7000)).toBe(0);
    reopen(rig);
    expect(client.read(200, 8)).toEqual(times(8, 7000));
  });

  it('still lets healthy units be written and remapped ones be used', () => {
    const { rig, client } = openDevice();
    expect(client.write(80, 8, 5000)).toBe(0);
    spoil(rig);
    expect(client.write(8, 8, 6000)).toBe(EIO);
    expect(client.write(400, 8, 7000)).toBe(0);
    expect(client.write(82, 2, 7001)).toBe(0);
    reopen(rig);
    expect(client.read(400, 8)).toEqual(times(8, 7000));
    expect(client.read(80, 8)).toEqual([5000, 5000, 7001, 7001, ...times(4, 5000)]);
  });
});

describe('a commit that reaches one copy only', () => {
  it('is a commit: the unit is there after a kill, and the other copies have been repaired', () => {
    const { rig, client } = openDevice();
    expect(client.write(80, 8, 5000)).toBe(0);
    const { superblock } = rig.device!.metadata;
    const { offsetBytes } = superblock.copies[3]!;
    rig.stores[1]!.judge = (io) => {
      const spared = io.offsetBytes >= offsetBytes && io.offsetBytes < superblock.copies[4]!.offsetBytes;
      return io.kind === 'write' && touchesMetadata(io, superblock, 1) && !spared ? EIO : 0;
    };
    expect(client.write(8, 8, 6000)).toBe(0);
    rig.kill();
    heal(rig);
    const found = rig.assemble();
    expect(found.ok && found.value.load.inPlaceRepairs).toEqual([
      { page: 0, copyMask: 0b10111, generation: 1 },
    ]);
    rig.open();
    expect(client.read(8, 8)).toEqual(times(8, 6000));
    rig.kill();
    const again = rig.assemble();
    expect(again.ok && again.value.load.inPlaceRepairs).toEqual([]);
  });
});
