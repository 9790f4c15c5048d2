import { statSync } from 'node:fs';
import type { DeviceResource } from '../../control/schema/device.js';
import { deviceMajor, deviceMinor } from '../../kernel/device-number.js';

/** Of the block device that serves a set; undefined where it is served over NBD only. */
export function deviceNumbersOf({ endpoints }: DeviceResource): DeviceNumbers | undefined {
  const blockDevice = endpoints.find(({ kind }) => kind === 'ublk');
  const stat = blockDevice && statSync(blockDevice.address, { throwIfNoEntry: false });
  return stat && { major: deviceMajor(stat.rdev), minor: deviceMinor(stat.rdev) };
}

export interface DeviceNumbers {
  readonly major: number;
  readonly minor: number;
}
