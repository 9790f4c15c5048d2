import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import type { DeviceInfo } from './device-types.js';

/** Says which set a block device belongs to, for the udev rules (boot/) and for `dmremap stop`. */
export function writeProperties(deviceId: number, info: DeviceInfo, mainPath: string): void {
  mkdirSync(RUN_DIRECTORY, { recursive: true });
  const lines = [`DM_REMAP_NAME=${info.name}`, `DM_REMAP_UUID=${info.setId}`, `DM_REMAP_MAIN=${mainPath}`];
  writeFileSync(propertiesPath(deviceId), `${lines.join('\n')}\n`);
}

export function removeProperties(deviceId: number): void {
  rmSync(propertiesPath(deviceId), { force: true });
}

export function propertiesPath(deviceId: number): string {
  return `${RUN_DIRECTORY}/ublkb${deviceId}.udev`;
}

/** Fixed, because udev rules name it. */
const RUN_DIRECTORY = '/run/dm-remap';
