import { describe, expect, it } from 'vitest';
import { xorshift } from '../../test/support/xorshift.js';
import { ERRNO } from '../base/errno.js';
import type { DescriptorChange } from '../engine/effect.js';
import { DescriptorReason, DescriptorState } from '../format/descriptor-page.js';
import { DESCRIPTORS_PER_PAGE, superblockOffsetBytes } from '../format/layout.js';
import { WATERMARK_STEP_PAGES } from './limits.js';
import { DeviceOnMemory } from './testing/device-on-memory.js';

/** Units of 1024 bytes, so that a small spare has many pages of descriptors. */
function deviceWithManyPages(): DeviceOnMemory {
  const rig = new DeviceOnMemory({
    mainBytes: 8 << 20,
    spareBytes: [8 << 20],
    unitBytes: 1024,
    volatileCaches: true,
  });
  rig.format(2);
  return rig;
}

/** Maps so many main units, the lowest that are not mapped, with one commit. Answers its result, or undefined. */
function mapMore(
  rig: DeviceOnMemory,
  count: number,
): { changes: DescriptorChange[]; result: number | undefined } {
  const { context, metadata } = rig.device!;
  const changes: DescriptorChange[] = [];
  for (let mainUnit = 0; changes.length < count; mainUnit += 1) {
    if (context.table.find(mainUnit) !== -1) continue;
    const spareUnit = context.allocator.allocate();
    const rest = { lostMask: 0, moveCount: 0, reason: DescriptorReason.imported };
    changes.push({ spareUnit, state: DescriptorState.mapped, mainUnit, ...rest });
  }
  let result: number | undefined;
  metadata.commit(changes, (outcome) => {
    result = outcome;
  });
  rig.scheduler.advance(0);
  return { changes, result };
}

/** The spare unit of each main unit from 0 on, as far as they are mapped. */
function mapOf(rig: DeviceOnMemory): Map<number, number> {
  const { table } = rig.device!.context;
  const map = new Map<number, number>();
  for (let unit = 0; unit < 8192; unit += 1) {
    const spareUnit = table.find(unit);
    if (spareUnit !== -1) map.set(unit, spareUnit);
  }
  return map;
}

const UNITS_PER_STEP = WATERMARK_STEP_PAGES * DESCRIPTORS_PER_PAGE;

describe('the watermark', () => {
  it('grows with the number of remaps, and all of them are there after a kill', () => {
    const rig = deviceWithManyPages();
    rig.open();
    const pagesOf = (): number => rig.device!.metadata.superblock.spares[0]!.initialisedPageCount;
    expect(pagesOf()).toBe(0);
    expect(mapMore(rig, 10).result).toBe(0);
    expect(pagesOf()).toBe(WATERMARK_STEP_PAGES);
    for (let round = 0; round < 3; round += 1) expect(mapMore(rig, UNITS_PER_STEP / 2).result).toBe(0);
    expect(pagesOf()).toBeGreaterThan(WATERMARK_STEP_PAGES);
    const map = mapOf(rig);
    expect(map.size).toBe(10 + (3 * UNITS_PER_STEP) / 2);
    rig.kill();
    rig.open();
    expect(mapOf(rig)).toEqual(map);
  });

  it('stops at the last page of the spare', () => {
    const rig = deviceWithManyPages();
    rig.open();
    const { allocator } = rig.device!.context;
    const all = allocator.freeCount;
    expect(mapMore(rig, all).result).toBe(0);
    expect(allocator.freeCount).toBe(0);
    const { spares, pageCount } = rig.device!.metadata.superblock;
    expect(spares[0]!.initialisedPageCount).toBeLessThanOrEqual(pageCount);
    rig.powerCut(() => false);
    rig.open();
    expect(mapOf(rig).size).toBe(all);
  });

  it('is durable before a remap above it is acknowledged, and a failed attempt leaves its number unused', () => {
    const rig = deviceWithManyPages();
    rig.open();
    const { superblock } = rig.device!.metadata;
    const isSuperblock = (offsetBytes: number): boolean =>
      superblock.copies.some((copy) =>
        [0, 1].some((slot) => superblockOffsetBytes(copy, slot) === offsetBytes),
      );
    rig.stores[1]!.judge = ({ kind, offsetBytes }) =>
      kind === 'write' && isSuperblock(offsetBytes) ? ERRNO.EIO : 0;
    expect(mapMore(rig, 10).result).toBe(-ERRNO.EIO);
    expect(mapOf(rig).size).toBe(0);
    rig.stores[1]!.judge = () => 0;
    expect(mapMore(rig, 10).result).toBe(0);
    // Two attempts failed, as a commit is tried once more.
    expect(rig.device!.metadata.superblock.sequence).toBe(superblock.sequence + 5);
    rig.powerCut(() => false);
    rig.open();
    expect(mapOf(rig).size).toBe(10);
  });

  it('may grow while the power is cut at any write: what was acknowledged is there, and the set works on', () => {
    const random = xorshift(4242);
    const prepared = deviceWithManyPages();
    prepared.open();
    expect(mapMore(prepared, UNITS_PER_STEP - 60).result).toBe(0);
    const base = mapOf(prepared);
    prepared.close();
    const media = prepared.disks.map((disk) => disk.contents.slice());
    let wasCut = true;
    for (let writes = 1; wasCut; writes += writes < 8 ? 1 : 13) {
      for (const survives of [() => false, () => true, () => random() % 2 === 0]) {
        const rig = deviceWithManyPages();
        for (const [index, disk] of rig.disks.entries()) disk.contents.set(media[index]!);
        rig.open();
        rig.dieAfterWrites(writes);
        const { changes, result } = mapMore(rig, 400);
        wasCut = result === undefined;
        rig.powerCut(survives);
        rig.open();
        const map = mapOf(rig);
        for (const [mainUnit, spareUnit] of base) expect(map.get(mainUnit)).toBe(spareUnit);
        const arrived = changes.filter(({ mainUnit, spareUnit }) => map.get(mainUnit) === spareUnit);
        expect(map.size).toBe(base.size + arrived.length);
        if (result === 0) expect(arrived).toHaveLength(400);
        expect(mapMore(rig, 300).result).toBe(0);
        const after = mapOf(rig);
        rig.powerCut(() => false);
        rig.open();
        expect(mapOf(rig)).toEqual(after);
      }
    }
  });
});
