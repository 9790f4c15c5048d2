import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import type { DescriptorChange } from '../engine/effect.js';
import { DescriptorReason, DescriptorState } from '../format/descriptor-page.js';
import { DESCRIPTORS_PER_PAGE, METADATA_PAGE_BYTES, pageOffsetBytes } from '../format/layout.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import { numberedDevice } from './testing/numbered-device.js';
import type { JudgedIo } from './testing/scripted-store.js';

const { EIO, ENODATA } = ERRNO;

function mapping(mainUnit: number, spareUnit: number): DescriptorChange {
  const rest = { lostMask: 0, moveCount: 0, reason: DescriptorReason.imported };
  return { spareUnit, state: DescriptorState.mapped, mainUnit, ...rest };
}

function freeUnitOn(rig: DeviceOnMemory, spareIndex: number): number {
  const { allocator, shape } = rig.device!.context;
  const spare = shape.spares[spareIndex]!;
  return allocator.allocateIn(spare.firstUnit, spare.unitCount);
}

/** All at once: while the first is on its way the others wait, and then go together. */
function commitAll(rig: DeviceOnMemory, commits: readonly (readonly DescriptorChange[])[]): number[] {
  const results = commits.map(() => Number.NaN);
  for (const [index, changes] of commits.entries()) {
    rig.device!.metadata.commit(changes, (result) => {
      results[index] = result;
    });
  }
  rig.scheduler.advance(1000);
  return results;
}

function reopen(rig: DeviceOnMemory): void {
  for (const store of rig.stores) store.judge = () => 0;
  rig.kill();
  rig.open();
}

describe('commits that share a batch', () => {
  it('do not fail with the one whose spare is bad', () => {
    const { rig } = numberedDevice({ spareBytes: [2 << 20, 2 << 20] });
    rig.open();
    const [a, b, c, d] = [0, 0, 1, 1].map((spareIndex) => freeUnitOn(rig, spareIndex));
    expect(commitAll(rig, [[mapping(1, a!)]])).toEqual([0]);
    rig.stores[1]!.judge = ({ kind }) => (kind === 'flush' ? EIO : 0);
    const results = commitAll(rig, [[mapping(2, c!)], [mapping(3, b!)], [mapping(4, d!)]]);
    expect(results).toEqual([0, -EIO, 0]);
    const { table } = rig.device!.context;
    expect([1, 2, 3, 4].map((unit) => table.find(unit))).toEqual([a, c, -1, d]);
    reopen(rig);
    const after = rig.device!.context.table;
    expect([1, 2, 4].map((unit) => after.find(unit))).toEqual([a, c, d]);
  });

  it('are not acknowledged on a second try that finds nothing left to flush', () => {
    const { rig } = numberedDevice({ spareBytes: [4 << 20] });
    rig.open();
    const { context } = rig.device!;
    const units = [0, 0, 0].map(() => freeUnitOn(rig, 0));
    const flushFailuresBefore = context.flushFailuresOf(1);
    const commits = units.map((unit, index) => [{ ...mapping(index + 1, unit), flushFailuresBefore }]);
    let failuresLeft = 1;
    rig.stores[1]!.judge = ({ kind }) => (kind === 'flush' && failuresLeft-- > 0 ? EIO : 0);
    expect(commitAll(rig, commits)).toEqual([-EIO, -EIO, -EIO]);
    expect(context.table.mappedCount).toBe(0);
  });

  it('are durable when each page has a copy that takes it, and no copy takes both', () => {
    const { rig } = numberedDevice({ copies: 2, spareBytes: [4 << 20] });
    rig.open();
    const { allocator } = rig.device!.context;
    const onFirstPage = freeUnitOn(rig, 0);
    allocator.takeRange(onFirstPage + 1, DESCRIPTORS_PER_PAGE);
    const onNextPage = freeUnitOn(rig, 0);
    const pages = [onFirstPage, onNextPage].map((unit) => Math.floor(unit / DESCRIPTORS_PER_PAGE));
    expect(pages[1]).toBeGreaterThan(pages[0]!);
    const another = freeUnitOn(rig, 0);
    expect(commitAll(rig, [[mapping(1, another)]])).toEqual([0]);

    const { copies } = rig.device!.metadata.superblock;
    const isIn = (io: JudgedIo, copyIndex: number, page: number): boolean => {
      const from = pageOffsetBytes(copies[copyIndex]!, page, 0);
      const end = pageOffsetBytes(copies[copyIndex]!, page, 1) + METADATA_PAGE_BYTES;
      return io.offsetBytes >= Math.min(from, end) && io.offsetBytes < Math.max(from, end);
    };
    rig.stores[1]!.judge = (io) =>
      io.kind === 'write' && (isIn(io, 0, pages[0]!) || isIn(io, 1, pages[1]!)) ? ENODATA : 0;
    expect(commitAll(rig, [[mapping(2, onFirstPage), mapping(3, onNextPage)]])).toEqual([0]);
    reopen(rig);
    const { table } = rig.device!.context;
    expect([2, 3].map((unit) => table.find(unit))).toEqual([onFirstPage, onNextPage]);
  });
});
