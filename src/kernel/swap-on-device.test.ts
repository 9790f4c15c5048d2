import { expect, test } from 'vitest';
import { hasSwapOn } from './swap-on-device.js';

test('what is no block device, or is not there, has no swap', () => {
  expect(hasSwapOn('/dev/null')).toBe(false);
  expect(hasSwapOn('/dev/there-is-no-such-device')).toBe(false);
});
