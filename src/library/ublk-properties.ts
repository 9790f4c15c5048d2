import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { DeviceInfo } from './device-types.js';
import { DmRemapError } from './errors.js';

/** Says which set a block device belongs to, for the udev rules (boot/), for `dmremap stop` and for the next process. */
export function writeProperties(deviceId: number, properties: UblkProperties): void {
  const path = propertiesPath(deviceId);
  try {
    mkdirSync(RUN_DIRECTORY, { recursive: true });
    writeFileSync(path, formatProperties(properties));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new DmRemapError('system', `${path}: ${code}; ublk needs to write there`);
  }
}

export interface UblkProperties extends Pick<DeviceInfo, 'name' | 'setId'> {
  /** The process that has handed it over had a failed flush that its clients were not told of. */
  readonly hasUntoldFailure: boolean;
}

/** A line is a property. A name that holds a line's end was not written by this program: it gets no links. */
export function formatProperties({ name, setId, hasUntoldFailure }: UblkProperties): string {
  const nameLine = /\p{Cc}/u.test(name) ? '' : `DM_REMAP_NAME=${name}\n`;
  return `${nameLine}DM_REMAP_UUID=${setId}\n${hasUntoldFailure ? `${UNTOLD_FAILURE}\n` : ''}`;
}

export function tellsOfUntoldFailure(properties: string): boolean {
  return properties.split('\n').includes(UNTOLD_FAILURE);
}

/** The set that a block device belongs to; undefined: it is not one of this program's. */
export function setIdOfDevice(deviceId: number): string | undefined {
  return /^DM_REMAP_UUID=(.+)$/m.exec(readProperties(deviceId) ?? '')?.[1];
}

export function hasUntoldFailure(deviceId: number): boolean {
  return tellsOfUntoldFailure(readProperties(deviceId) ?? '');
}

function readProperties(deviceId: number): string | undefined {
  try {
    return readFileSync(propertiesPath(deviceId), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export function removeProperties(deviceId: number): void {
  rmSync(propertiesPath(deviceId), { force: true });
}

export function propertiesPath(deviceId: number): string {
  return `${RUN_DIRECTORY}/ublkb${deviceId}.udev`;
}

const UNTOLD_FAILURE = 'DM_REMAP_FLUSH_FAILED=1';
/** Fixed, because udev rules name it. */
const RUN_DIRECTORY = '/run/dm-remap';
