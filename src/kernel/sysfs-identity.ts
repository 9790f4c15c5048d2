import { type DeviceIdentity, NO_IDENTITY } from '../ports/block-store.js';
import { printable, readSysfsBytes, readSysfsText, sysfsBlockDevice } from './sysfs-block-device.js';

/**
 * Model, serial and WWN of the disk behind a device number, as far as its driver shows them in /sys. A partition
 * has those of its disk. '' for what is not known (loop devices, RAM disks).
 */
export function readDeviceIdentity(major: number, minor: number, sysfsRoot = '/sys'): DeviceIdentity {
  const device = sysfsBlockDevice(major, minor, sysfsRoot);
  return device === null ? NO_IDENTITY : identityOfDisk(device.diskDirectory);
}

/** `disk`: the directory of a whole disk in /sys. */
export function identityOfDisk(disk: string): DeviceIdentity {
  return { model: readModel(disk), serial: readSerial(disk), wwn: readWwn(disk) };
}

/** SCSI, ATA and NVMe: `device/model`; MMC: `device/name`; device mapper: the name given to it. */
function readModel(disk: string): string {
  return firstText(disk, ['device/model', 'device/name', 'dm/name']);
}

/** NVMe, MMC: `device/serial`; virtio-blk: `serial`; SCSI, ATA: VPD page 0x80; device mapper and md: their UUID. */
function readSerial(disk: string): string {
  const serial = firstText(disk, ['device/serial', 'serial']);
  if (serial !== '') return serial;
  const vpdSerial = unitSerialNumber(readSysfsBytes(disk, 'device/vpd_pg80'));
  return vpdSerial !== '' ? vpdSerial : firstText(disk, ['dm/uuid', 'md/uuid']);
}

/** SCSI, ATA: `device/wwid`; NVMe: `wwid` of the namespace. */
function readWwn(disk: string): string {
  return firstText(disk, ['wwid', 'device/wwid']);
}

/** SCSI SPC-4 section 7.8.15, Unit Serial Number page: code at byte 1, length at 2..3 (big endian), text from 4. */
function unitSerialNumber(page: Buffer): string {
  if (page.length < 4 || page[1] !== 0x80) return '';
  return printable(page.toString('latin1', 4, 4 + page.readUInt16BE(2)));
}

function firstText(directory: string, attributes: readonly string[]): string {
  for (const attribute of attributes) {
    const text = readSysfsText(directory, attribute);
    if (text !== '') return text;
  }
  return '';
}
