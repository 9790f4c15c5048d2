import { describe, expect, it } from 'vitest';
import { xorshift } from '../../test/support/xorshift.js';
import { ERRNO } from '../base/errno.js';
import { superblockOffsetBytes } from '../format/layout.js';
import { slotOf } from '../format/superblock.js';
import { planRepair, repairSet } from './repair-set.js';
import { replaceMap } from './replace-map.js';
import { stateOf } from './survey-set.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import { dumpOf } from './testing/dump-of.js';
import { copyOnMedium, numberedDevice, pageOnMedium, touchesMetadata } from './testing/numbered-device.js';
import { parsedDump } from './testing/parsed-dump.js';
import { hasItsData, usedDevice } from './testing/used-device.js';

/** The map of a used device without its first units, with some more far out, on pages that were never written. */
function otherMap(text: string): string {
  const lines = text.split('\n').filter((line) => !/^remap main=(0|8|16) /.test(line));
  const isEven = (line: string): boolean => line.startsWith('retired');
  const [head, tail] = [lines.filter((line) => !isEven(line)), lines.filter(isEven)];
  const more = [0, 1].map(
    (nth) =>
      `remap main=${4000 + 8 * nth} spare=1:${3000 + 8 * nth} reason=manual time=2025-01-01T00:00:0${nth}Z errors=0 moves=0`,
  );
  return [...head.filter((line) => line !== ''), ...more, ...tail].join('\n');
}

function normal(text: string): string {
  const dump = parsedDump(text);
  return dump.entries
    .map((entry) => JSON.stringify(entry))
    .sort()
    .join('\n');
}

function replace(rig: DeviceOnMemory, text: string): number | undefined {
  const { set } = rig.survey();
  return rig.writeOffline(set!, (work) => replaceMap(work, parsedDump(text).entries, { name: 'other' }));
}

describe('replacing the map of a set', () => {
  it('gives the other map on every copy, and back again the first one', () => {
    const used = usedDevice();
    const { rig, map } = used;
    const other = otherMap(map);
    expect(normal(other)).not.toBe(normal(map));
    expect(replace(rig, other)).toBe(0);
    expect(normal(dumpOf(rig))).toBe(normal(other));
    expect(stateOf(rig.survey())).toBe('clean');
    expect(replace(rig, map)).toBe(0);
    expect(dumpOf(rig)).toBe(map.replace('name="test"', 'name="other"'));
    rig.open();
    expect(hasItsData(used)).toBe(true);
  });

  it('leaves pages of several generations, each of which a repair gives a copy as the others have it', () => {
    const { rig, map, superblock } = usedDevice();
    expect(replace(rig, otherMap(map))).toBe(0);
    copyOnMedium(rig, superblock, 2).fill(0xa5, 16_384);
    const { set } = rig.survey();
    expect(rig.writeOffline(set!, (work) => repairSet(work, planRepair(set!)))).toBe(0);
    // Once it wrote them with the generation of the superblock, and so made those of the other copies look old.
    expect(rig.survey().set!.findings).toEqual([]);
  });

  it('leaves the one or the other map, and both whole, when the power fails at any write', () => {
    const seen = new Set<string>();
    for (let cutAfter = 1; cutAfter < 2000; cutAfter += cutAfter < 20 ? 4 : 17) {
      const { rig, map } = usedDevice({ copies: 3, volatileCaches: true });
      const other = otherMap(map);
      rig.dieAfterWrites(cutAfter);
      const result = replace(rig, other);
      const bit = xorshift(cutAfter);
      rig.powerCut(() => bit() % 2 === 0);
      const found = normal(dumpOf(rig));
      seen.add(found);
      expect([normal(map), normal(other)], `cut after ${cutAfter} writes`).toContain(found);
      if (result !== 0) {
        // A start, whose repairs must not change it.
        rig.open();
        rig.kill();
        expect(normal(dumpOf(rig))).toBe(found);
        continue;
      }
      expect(found).toBe(normal(other));
      expect(seen.size).toBe(2);
      return;
    }
    expect.unreachable('it ends at last');
  });

  it('fails, and leaves the old map, where no copy can be written', () => {
    const { rig, map, superblock } = usedDevice({ spareBytes: [4 << 20] });
    rig.stores[1]!.judge = (io) =>
      io.kind === 'write' && touchesMetadata(io, superblock, 1) ? ERRNO.ENODATA : 0;
    const far = `${map}remap main=4000 spare=0:880\n`;
    expect(replace(rig, far)).toBe(ERRNO.EIO);
    rig.stores[1]!.judge = () => 0;
    expect(dumpOf(rig)).toBe(map);
  });
});

describe('writing a set from nothing but its dump', () => {
  it('gives the same set, on spares whose metadata is gone', () => {
    const used = usedDevice();
    const { rig, map, superblock } = used;
    for (const copy of superblock.copies.keys()) copyOnMedium(rig, superblock, copy).fill(0);
    expect(rig.survey().set).toBeUndefined();
    expect(rig.writeAnew(parsedDump(map))).toBe(0);
    expect(dumpOf(rig)).toBe(map);
    expect(stateOf(rig.survey())).toBe('clean');
    rig.open();
    expect(hasItsData(used)).toBe(true);
    rig.close();
  });

  it.each([
    'whole',
    'unreadable for now',
    'rotten',
  ])('wins over pages that are left of its earlier life, %s at the time, for good', (kind) => {
    const used = usedDevice({ spareBytes: [4 << 20] });
    const { rig, map, superblock } = used;
    const before = rig.disks[1]!.contents.slice();
    const { offsetBytes } = superblock.copies[2]!;
    if (kind === 'rotten') pageOnMedium(rig, superblock, 2, 0, 0).fill(3, 100);
    if (kind === 'unreadable for now')
      rig.stores[1]!.judge = (io) =>
        io.offsetBytes >= offsetBytes && io.offsetBytes < offsetBytes + 60_000 ? ERRNO.ENODATA : 0;
    const empty = parsedDump(map.replace(/^(remap|retired).*\n/gm, ''));
    expect(rig.writeAnew(empty)).toBe(0);
    rig.stores[1]!.judge = () => 0;
    if (kind !== 'whole') {
      // What could not be read is there again, as it was.
      const after = offsetBytes + 16_384;
      rig.disks[1]!.contents.set(before.subarray(after, after + 40_000), after);
    }
    expect(dumpOf(rig)).not.toContain('\nremap');
    rig.open();
    rig.close();
    expect(dumpOf(rig)).not.toContain('\nremap');
    expect(stateOf(rig.survey())).toBe('clean');
  });

  it('cut off at any write leaves no set, or the right one; a second try succeeds', () => {
    for (let cutAfter = 1; cutAfter < 2000; cutAfter += cutAfter < 40 ? 6 : 41) {
      const { rig, map } = usedDevice({ copies: 3, spareBytes: [2 << 20], volatileCaches: true });
      const other = otherMap(map.replaceAll('spare=1:', 'spare=0:')).replaceAll('spare=1:', 'spare=0:');
      const dump = parsedDump(other);
      rig.dieAfterWrites(cutAfter);
      const result = rig.writeAnew(dump);
      const bit = xorshift(cutAfter);
      rig.powerCut(() => bit() % 2 === 0);
      const { set } = rig.survey();
      // Until its anchors are gone the old set is there; afterwards none, then the new one.
      if (set !== undefined && stateOf(rig.survey()) !== 'unusable')
        expect([normal(map), normal(other)]).toContain(normal(dumpOf(rig)));
      expect(rig.writeAnew(dump)).toBe(0);
      expect(normal(dumpOf(rig))).toBe(normal(other));
      expect(stateOf(rig.survey())).toBe('clean');
      if (result === 0) return;
    }
    expect.unreachable('it ends at last');
  });

  it('cut off at any write never leaves an older superblock, which knows fewer pages (seed 610350)', () => {
    for (let cutAfter = 1; cutAfter < 60; cutAfter += 1) {
      const { rig, client } = numberedDevice({
        faults: 'main:\n  - { sectors: "0-7", on: [write], error: ENODATA }',
        spareBytes: [2 << 20],
        volatileCaches: true,
      });
      rig.open();
      expect(client.write(0, 8, 5000)).toBe(0);
      const { superblock } = rig.device!.metadata;
      rig.kill();
      const map = dumpOf(rig);
      for (const copy of superblock.copies.keys())
        for (const slot of [0, 1]) pageOnMedium(rig, superblock, copy, 0, slot).fill(0);
      rig.dieAfterWrites(cutAfter);
      const result = rig.writeAnew(parsedDump(map));
      // The newest superblocks are those that are zeroed for good.
      const firstSectors = superblock.copies.map(
        (copy) => superblockOffsetBytes(copy, slotOf(superblock.sequence)) / 512,
      );
      rig.powerCut((_, sector) => firstSectors.some((first) => sector >= first && sector < first + 8));
      if (rig.assemble().ok) expect(dumpOf(rig), `cut after ${cutAfter} writes`).toBe(map);
      if (result === 0) return;
    }
    expect.unreachable('it ends at last');
  });

  it.each([
    0, 1,
  ])('wins over a superblock in slot %i that could not be zeroed, again and again (seed 620363)', (slot) => {
    const { rig, map, superblock } = usedDevice({ spareBytes: [2 << 20] });
    const stuck = superblockOffsetBytes(superblock.copies[2]!, slot);
    rig.stores[1]!.judge = ({ kind, offsetBytes }) =>
      kind === 'write' && offsetBytes === stuck ? ERRNO.ENODATA : 0;
    let newest = superblock.sequence;
    for (let round = 0; round < 3; round += 1) {
      for (const copy of superblock.copies.keys()) copyOnMedium(rig, superblock, copy).fill(0, 16_384);
      expect(rig.writeAnew(parsedDump(map))).toBe(0);
      expect(dumpOf(rig)).toBe(map);
      expect(rig.survey().set!.choice.superblock.sequence).toBeGreaterThan(newest);
      newest = rig.open().metadata.superblock.sequence;
      rig.close();
    }
  });

  it('takes a spare that never held anything', () => {
    const { rig } = numberedDevice();
    const text = dumpOf(rig);
    rig.disks[1]!.contents.fill(0);
    expect(rig.writeAnew(parsedDump(text))).toBe(0);
    expect(dumpOf(rig)).toBe(text);
  });
});
