import { deviceMajor, deviceMinor } from './device-number.js';
import { readSysfsNumber, sysfsBlockDevice } from './sysfs-block-device.js';

/**
 * A number that the kernel gives no other disk until the machine is started anew, not even the same one when it comes back
 * (Linux 5.15); of a partition that of its disk. Null where it doesn't say. `deviceNumber`: `st_rdev`.
 */
export function diskSequence(deviceNumber: number, sysfsRoot = '/sys'): number | null {
  const shown = sysfsBlockDevice(deviceMajor(deviceNumber), deviceMinor(deviceNumber), sysfsRoot);
  return shown === null ? null : readSysfsNumber(shown.diskDirectory, 'diskseq');
}
