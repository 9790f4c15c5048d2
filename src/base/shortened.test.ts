import { expect, it } from 'vitest';
import { shortened } from './shortened.js';

it.each([
  ['short', 5, 'short'],
  ['longer', 5, 'longe...'],
  ['ab😀', 3, 'ab...'],
])('%j has %d at most', (text, limit, short) => {
  expect(shortened(text, limit)).toBe(short);
});
