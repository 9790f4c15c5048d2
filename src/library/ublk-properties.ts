import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import type { DeviceInfo } from './device-types.js';
import { DmRemapError } from './errors.js';

/** Says which set a block device belongs to, for the udev rules (boot/) and for `dmremap stop`. */
export function writeProperties(deviceId: number, { name, setId }: DeviceInfo): void {
  const path = propertiesPath(deviceId);
  // A line is a property. A name that holds a line's end was not written by this program: it gets no links.
  const nameLine = /\p{Cc}/u.test(name) ? '' : `DM_REMAP_NAME=${name}\n`;
  try {
    mkdirSync(RUN_DIRECTORY, { recursive: true });
    writeFileSync(path, `${nameLine}DM_REMAP_UUID=${setId}\n`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new DmRemapError('system', `${path}: ${code}; ublk needs to write there`);
  }
}

export function removeProperties(deviceId: number): void {
  rmSync(propertiesPath(deviceId), { force: true });
}

export function propertiesPath(deviceId: number): string {
  return `${RUN_DIRECTORY}/ublkb${deviceId}.udev`;
}

/** Fixed, because udev rules name it. */
const RUN_DIRECTORY = '/run/dm-remap';
