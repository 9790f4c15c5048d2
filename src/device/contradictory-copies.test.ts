import { describe, expect, it } from 'vitest';
import { seal } from '../format/sealed-block.js';
import { slotOf } from '../format/superblock.js';
import { planRepair, repairSet } from './repair-set.js';
import { stateOf } from './survey-set.js';
import { dumpOf } from './testing/dump-of.js';
import { pageOnMedium, superblockOnMedium } from './testing/numbered-device.js';
import { hasItsData, type UsedDevice, usedDevice } from './testing/used-device.js';

/*
 * Copies of one version that are all intact and do not say the same: damage that a checksum did not find. Bytes are
 * changed and sealed again.
 */

const [MAIN_UNIT_AT, WATERMARK_AT] = [64, 584];

function usedWith(copies: number): UsedDevice {
  return usedDevice({ spareBytes: [4 << 20], copies });
}

/** Every descriptor of page 0 that is in use, in both slots, speaks of the main unit after the one it was of. */
function changePage({ rig, superblock }: UsedDevice, copy: number): void {
  for (const slot of [0, 1]) {
    const page = pageOnMedium(rig, superblock, copy, 0, slot);
    for (let at = MAIN_UNIT_AT; at < page.length; at += 32) if (page[at + 27] === 1) page[at]! ^= 1;
    seal(page);
  }
}

/** No page was ever written, it says. */
function changeSuperblock({ rig, superblock }: UsedDevice, copy: number): void {
  const block = superblockOnMedium(rig, superblock, copy, slotOf(superblock.sequence));
  block.fill(0, WATERMARK_AT, WATERMARK_AT + 8);
  seal(block);
}

function expectMended(used: UsedDevice): void {
  const { rig, map } = used;
  const { set } = rig.survey();
  expect(dumpOf(rig)).toBe(map);
  expect(rig.writeOffline(set!, (work) => repairSet(work, planRepair(set!)))).toBe(0);
  expect(rig.survey().set!.findings).toEqual([]);
  expect(dumpOf(rig)).toBe(map);
  rig.open();
  expect(hasItsData(used)).toBe(true);
}

describe('intact copies of one version that contradict each other', () => {
  it.each([0, 2, 4])('page: the majority counts, copy %i is named and mended', (copy) => {
    const used = usedWith(5);
    changePage(used, copy);
    const survey = used.rig.survey();
    expect(stateOf(survey)).toBe('damaged');
    expect(survey.set!.findings).toMatchObject([{ block: 'page', copyIndex: copy, state: 'contradictory' }]);
    expectMended(used);
  });

  it('page: without a majority nothing is believed, not even an older version', () => {
    const used = usedWith(2);
    changePage(used, 1);
    const survey = used.rig.survey();
    expect(stateOf(survey)).toBe('unusable');
    expect(survey.set!.load.lostPages).toEqual([0]);
    expect(used.rig.assemble().ok).toBe(false);
  });

  it.each([0, 2, 4])('superblock: the majority counts, copy %i is named and mended', (copy) => {
    const used = usedWith(5);
    changeSuperblock(used, copy);
    const survey = used.rig.survey();
    expect(survey.set!.findings).toMatchObject([
      { block: 'superblock', copyIndex: copy, state: 'contradictory' },
    ]);
    expectMended(used);
  });

  it('superblock: without a majority there is no set', () => {
    const used = usedWith(2);
    changeSuperblock(used, 0);
    const { found, set } = used.rig.survey();
    expect(set).toBeUndefined();
    expect(found).toMatchObject({ ok: false, error: { kind: 'contested' } });
  });
});
