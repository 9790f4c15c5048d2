import { expect, test } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { failed, ok, type Result } from '../base/result.js';
import type { UblkDeviceInfo } from '../kernel/ublk-device-info.js';
import { removeUblkDevice } from './ublk-removal.js';

const INFO: UblkDeviceInfo = {
  deviceId: 0,
  queueCount: 1,
  queueDepth: 128,
  maxIoBytes: 4096,
  flags: 0,
  serverPid: -1,
  serverTag: 0n,
  state: 0,
};

/** `holds`: how often somebody is still found to hold the device. */
function driver({ holds, unwaited = 0 }: { holds: number; unwaited?: number }) {
  const calls: string[] = [];
  let looks = 0;
  return {
    calls,
    deleteUnwaited: async () => {
      calls.push('deleteUnwaited');
      return unwaited;
    },
    delete: async () => {
      calls.push('delete');
      return 0;
    },
    info: async (): Promise<Result<UblkDeviceInfo, number>> => {
      looks += 1;
      return looks > holds ? failed(ERRNO.ENODEV) : ok(INFO);
    },
  };
}

test('a removed device is gone when its last user has let go', async () => {
  const control = driver({ holds: 2 });
  expect(await removeUblkDevice(control, 0)).toBe(0);
  expect(control.calls).toEqual(['deleteUnwaited']);
});

test('a device that is still mounted does not hold up its removal', async () => {
  expect(await removeUblkDevice(driver({ holds: Number.POSITIVE_INFINITY }), 0, 0)).toBe(0);
});

test('a driver that can only wait (before Linux 6.9) is waited for', async () => {
  const control = driver({ holds: 0, unwaited: -ERRNO.EOPNOTSUPP });
  expect(await removeUblkDevice(control, 0)).toBe(0);
  expect(control.calls).toEqual(['deleteUnwaited', 'delete']);
});

test('a device that is not there is said to be so', async () => {
  expect(await removeUblkDevice(driver({ holds: 0, unwaited: -ERRNO.ENODEV }), 0)).toBe(-ERRNO.ENODEV);
});
