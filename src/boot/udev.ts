import type { Member } from './boot-set.js';
import type { Machine } from './machine.js';

/**
 * Lets udev read its rules again and look at these disks and their partitions with them. For disks that no daemon
 * holds: udev waits minutes for the lock of one that is in use. One line says what is left to do where that fails.
 */
export function applyUdevRules(machine: Machine, members: readonly Member[]): string | undefined {
  const devices = members.flatMap(({ device }) => (device === null ? [] : [`/dev/${device.kernelName}`]));
  const matches = devices.map((device) => `--name-match=${device}`);
  const reloaded = machine.run('udevadm', ['control', '--reload']).status === 0;
  const looked = matches.every((match) => machine.run('udevadm', [...TRIGGER, match]).status === 0);
  if (reloaded && looked) return undefined;
  return 'udev did not answer; before the set is started: udevadm control --reload && udevadm trigger --settle';
}

/** A matching disk's partitions match too. */
const TRIGGER = ['trigger', '--action=change', '--settle'];
