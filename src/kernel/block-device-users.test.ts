import { expect, test } from 'vitest';
import { blockDeviceUsers } from './block-device-users.js';

test('a block device that is not there has no users', () => {
  expect(blockDeviceUsers('/dev/ublkb-that-is-not-there')).toEqual([]);
});
