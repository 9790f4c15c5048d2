import { describe, expect, it } from 'vitest';
import { xorshift } from '../../test/support/xorshift.js';
import { ERRNO } from '../base/errno.js';
import type { DeviceOnMemory } from '../device/testing/device-on-memory.js';
import { numberedDevice, times, touchesMetadata } from '../device/testing/numbered-device.js';
import { type ConsolidationReport, consolidate } from './consolidate.js';

const UNITS = Array.from({ length: 40 }, (_, nth) => nth);

/** All of the first 40 units were written to a spare, in an order of chance; every fifth one is not there. */
function scattered(options: { readonly volatileCaches?: boolean } = {}) {
  const { rig, client } = numberedDevice({
    spareBytes: [2 << 20],
    ...options,
    faults: 'main:\n  - { sectors: "0-319", on: [write], error: ENODATA }',
  });
  rig.open();
  const next = xorshift(7);
  const order = UNITS.filter((unit) => unit % 5 !== 4)
    .map((unit) => ({ unit, at: next() }))
    .sort((one, other) => one.at - other.at);
  for (const { unit } of order) expect(client.write(unit * 8, 8, 5000 + unit)).toBe(0);
  return { rig, client };
}

function put(rig: DeviceOnMemory, limit: number): ConsolidationReport {
  let report: ConsolidationReport | undefined;
  consolidate(rig.device!, { limit }, (problem, found) => {
    expect(problem).toBeUndefined();
    report = found;
  });
  rig.scheduler.advance(10_000);
  return report!;
}

function isSideBySide(rig: DeviceOnMemory): boolean {
  const { table } = rig.device!.context;
  return UNITS.filter((unit) => unit % 5 < 3).every((unit) => table.find(unit + 1) === table.find(unit) + 1);
}

function contents(client: { read(block: number, count: number): unknown }): unknown[] {
  return UNITS.filter((unit) => unit % 5 !== 4).map((unit) => client.read(unit * 8, 8));
}

const WRITTEN = UNITS.filter((unit) => unit % 5 !== 4).map((unit) => times(8, 5000 + unit));

describe('neighbours in pieces on a spare', () => {
  it('are put together, and read as before, also after a kill; no place is lost', () => {
    const { rig, client } = scattered();
    const { allocator, table } = rig.device!.context;
    const [freeBefore, mappedBefore] = [allocator.freeCount, table.mappedCount];
    const report = put(rig, 1000);
    expect([report.scatteredRunCount, report.refusals]).toEqual([0, []]);
    expect(isSideBySide(rig)).toBe(true);
    expect([allocator.freeCount, table.mappedCount]).toEqual([freeBefore, mappedBefore]);
    expect(contents(client)).toEqual(WRITTEN);
    rig.kill();
    rig.open();
    expect(isSideBySide(rig)).toBe(true);
    expect(contents(client)).toEqual(WRITTEN);
    expect(rig.device!.context.allocator.freeCount).toBe(freeBefore);
    expect(put(rig, 1000).movedCount).toBe(0);
  });

  it('are put together in parts, by whole runs; a part of none only looks', () => {
    const { rig, client } = scattered();
    expect(put(rig, 0)).toMatchObject({ movedCount: 0, scatteredRunCount: 8 });
    const first = put(rig, 5);
    expect(first.movedCount).toBe(4);
    let last = first;
    while (last.movedCount > 0) last = put(rig, 5);
    expect(last.scatteredRunCount).toBe(0);
    expect(isSideBySide(rig)).toBe(true);
    expect(contents(client)).toEqual(WRITTEN);
  });

  it('stay where they are while no spare has room for them side by side', () => {
    const { rig, client } = scattered();
    const { allocator } = rig.device!.context;
    for (let unit = 0; unit < allocator.freeCount + allocator.takenCount; unit += 3)
      if (!allocator.isTaken(unit)) allocator.take(unit);
    const report = put(rig, 1000);
    expect(report.movedCount).toBe(0);
    expect(report.scatteredRunCount).toBeGreaterThan(0);
    expect(contents(client)).toEqual(WRITTEN);
  });

  it('stay, each whole, where the spare does not give a unit or takes nothing more', () => {
    for (const kind of ['read', 'write'] as const) {
      const { rig, client } = scattered();
      const { superblock } = rig.device!.metadata;
      rig.stores[1]!.judge = (io) =>
        io.kind === kind && !touchesMetadata(io, superblock, 1) && io.offsetBytes > 0 ? ERRNO.ENODATA : 0;
      const report = put(rig, 8);
      expect(report.movedCount).toBe(0);
      expect(report.refusals.length).toBeGreaterThan(0);
      rig.stores[1]!.judge = () => 0;
      expect(contents(client)).toEqual(WRITTEN);
    }
  });

  it('are whole after a power cut at any write on the way, each in its old or in its new place', () => {
    let writes = 1;
    for (let wasCut = true; wasCut; writes += 1) {
      const { rig, client } = scattered({ volatileCaches: true });
      expect(client.flush()).toBe(0);
      let isDone = false;
      rig.dieAfterWrites(writes);
      consolidate(rig.device!, { limit: 8 }, () => {
        isDone = true;
      });
      rig.scheduler.advance(10_000);
      wasCut = !isDone;
      rig.powerCut((_, sector) => (sector * 7 + writes) % 3 === 0);
      rig.open();
      expect(contents(client)).toEqual(WRITTEN);
      expect(rig.device!.context.table.mappedCount).toBe(32);
    }
    expect(writes).toBeGreaterThan(8);
  });
});
