import { expect, it } from 'vitest';
import { TwiceAway } from './twice-away.js';

it('a block is refused twice where that was in two outages, not in one', () => {
  const away = new TwiceAway();
  away.beginOutage();
  expect([away.noteRefused(3), away.noteRefused(3)]).toEqual([false, false]);
  away.beginOutage();
  expect([away.noteRefused(4), away.noteRefused(3)]).toEqual([false, true]);
});
