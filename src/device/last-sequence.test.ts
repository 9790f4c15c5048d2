import { describe, expect, it } from 'vitest';
import { crc32 } from '../base/crc32.js';
import { ERRNO } from '../base/errno.js';
import { writeU64 } from '../base/little-endian.js';
import { MAX_SEQUENCE } from '../format/layout.js';
import { seal, viewOf } from '../format/sealed-block.js';
import { slotOf } from '../format/superblock.js';
import { replaceMap } from './replace-map.js';
import { dumpOf } from './testing/dump-of.js';
import { pageOnMedium, superblockOnMedium } from './testing/numbered-device.js';
import { parsedDump } from './testing/parsed-dump.js';
import { type UsedDevice, usedDevice } from './testing/used-device.js';

/** The newest version of page 0, in all copies, as one of this sequence, or of this generation. */
function renumberPages({ rig, superblock }: UsedDevice, field: 40 | 48, value: number): void {
  const sequenceOf = (page: Uint8Array): number => viewOf(page).getUint32(40, true);
  for (const copy of superblock.copies.keys()) {
    const slots = [0, 1].map((slot) => pageOnMedium(rig, superblock, copy, 0, slot));
    const newest = slots[sequenceOf(slots[0]!) > sequenceOf(slots[1]!) ? 0 : 1]!;
    const target = field === 40 ? slots[slotOf(value)]! : newest;
    target.set(newest.slice());
    viewOf(target).setUint16(14, slots.indexOf(target), true);
    writeU64(viewOf(target), field, value);
    seal(target);
  }
}

function restored(used: UsedDevice): number | undefined {
  const { set } = used.rig.survey();
  const entries = parsedDump(used.map).entries.slice(1);
  return used.rig.writeOffline(set!, (work) => replaceMap(work, entries, {}));
}

function usedOnce(): UsedDevice {
  return usedDevice({ spareBytes: [4 << 20] });
}

describe('numbers at their end', () => {
  it('of a page: it is used, and the next update fails instead of being one that nobody takes', () => {
    const used = usedOnce();
    renumberPages(used, 40, MAX_SEQUENCE);
    expect(dumpOf(used.rig)).toBe(used.map);
    expect(restored(used)).toBe(ERRNO.EIO);
    expect(dumpOf(used.rig)).toBe(used.map);
  });

  it('of a superblock: the same', () => {
    const used = usedOnce();
    const { rig, superblock } = used;
    for (const copy of superblock.copies.keys()) {
      const block = superblockOnMedium(rig, superblock, copy, slotOf(MAX_SEQUENCE));
      block.set(superblockOnMedium(rig, superblock, copy, slotOf(superblock.sequence)).slice());
      viewOf(block).setUint16(66, slotOf(MAX_SEQUENCE), true);
      writeU64(viewOf(block), 48, MAX_SEQUENCE);
      seal(block);
    }
    expect(restored(used)).toBe(ERRNO.EIO);
    expect(dumpOf(rig)).toBe(used.map);
  });

  it('of the starts: the last one counts for all that follow', () => {
    const { rig, superblock } = usedOnce();
    for (const copy of superblock.copies.keys())
      for (const slot of [0, 1]) {
        const block = superblockOnMedium(rig, superblock, copy, slot);
        viewOf(block).setUint32(84, 0xffff_ffff, true);
        seal(block);
      }
    expect(rig.open().metadata.superblock.openCount).toBe(0xffff_ffff);
    rig.kill();
  });

  it('beside a set that is written from nothing: it is refused before anything is written', () => {
    const used = usedOnce();
    renumberPages(used, 40, MAX_SEQUENCE);
    const before = crc32(used.rig.disks[1]!.contents);
    expect(used.rig.writeAnew(parsedDump(used.map))).toBe(ERRNO.EOVERFLOW);
    expect(crc32(used.rig.disks[1]!.contents)).toBe(before);
  });
});
