import { expect, it } from 'vitest';
import { numberedDevice } from '../device/testing/numbered-device.js';
import { noticeOf } from './notices.js';

it('A lost block is not said to be at the first sector of its unit', () => {
  const { shape } = numberedDevice({}).rig.open().context;
  const names = { main: 'm.img', spares: ['s.img'] };
  const notice = noticeOf({ kind: 'lost', mainUnit: 125, lostMask: 2 }, shape, names, { holdMs: 0 });
  expect(notice.message).toMatch(/^m\.img: 1 block\(s\) of the unit from sector 1000 on can't be read/);
  expect(notice.details).toEqual({ mainSector: 1000, lostBlocks: 1 });
});
