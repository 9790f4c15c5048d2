import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { deviceMajor, deviceMinor } from '../../../../src/kernel/device-number.js';

/** The path of one of the scenario's disks, found by its serial number: its name. */
export function diskPath(name: string): string {
  const device = readdirSync('/sys/block').find((entry) => serialOf(entry) === name);
  if (device === undefined) throw new Error(`this machine has no disk ${name}`);
  return join('/dev', device);
}

/** virtio shows it beside the queue, SCSI as a page of vital product data after a header of 4 bytes. */
function serialOf(device: string): string {
  const virtio = join('/sys/block', device, 'serial');
  if (existsSync(virtio)) return readFileSync(virtio, 'utf8').trim();
  const scsi = join('/sys/block', device, 'device/vpd_pg80');
  return existsSync(scsi) ? readFileSync(scsi).toString('latin1', 4).trim() : '';
}

/** Kernel's view of a device's size, in sectors of 512 bytes. */
export function sectorCount(path: string): number {
  const { rdev } = statSync(path);
  return Number(readFileSync(`/sys/dev/block/${deviceMajor(rdev)}:${deviceMinor(rdev)}/size`, 'utf8'));
}
