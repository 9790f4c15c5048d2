import { expect, test } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { startRecovery } from './ublk-recovery.js';

function controlThatAnswers(...results: number[]) {
  const calls: number[] = [];
  const startRecovery = async (deviceId: number) => {
    calls.push(deviceId);
    return results[Math.min(calls.length, results.length) - 1]!;
  };
  return { calls, startRecovery };
}

test('a device is asked for again until the driver has torn its last server down', async () => {
  const control = controlThatAnswers(-ERRNO.EBUSY, -ERRNO.EBUSY, 0);
  await startRecovery(control, 3);
  expect(control.calls).toEqual([3, 3, 3]);
});

test('a server that was killed right after this command does not keep the next one from going on', async () => {
  const control = controlThatAnswers(-ERRNO.EINVAL);
  await startRecovery(control, 0);
  expect(control.calls).toHaveLength(1);
});

test('any other answer, and a server that never goes, is an error that names the device', async () => {
  await expect(startRecovery(controlThatAnswers(-ERRNO.ENODEV), 5)).rejects.toThrow('/dev/ublkb5');
  await expect(startRecovery(controlThatAnswers(-ERRNO.EBUSY), 5, 0)).rejects.toThrow('EBUSY');
});
