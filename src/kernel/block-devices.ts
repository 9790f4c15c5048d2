import { readdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SECTOR_BYTES } from '../base/units.js';
import type { DeviceIdentity } from '../ports/block-store.js';
import { readSysfsNumber, readSysfsText } from './sysfs-block-device.js';
import { identityOfDisk } from './sysfs-identity.js';

/** A block device as /sys shows it, disk or partition. */
export interface ListedBlockDevice {
  /** In /dev. */
  readonly path: string;
  /** `MAJOR:MINOR` */
  readonly number: string;
  readonly sizeBytes: number;
  readonly partition: PartitionPlace | null;
  readonly identity: () => DeviceIdentity;
}

/** Where on its disk a partition is: two of one disk have the same serial number. */
export interface PartitionPlace {
  readonly partitionNumber: number;
  readonly startSector: number;
}

/** All block devices of the system; none where /sys is not mounted. What goes away while it is read is left out. */
export function listBlockDevices(sysfsRoot = '/sys'): ListedBlockDevice[] {
  const root = join(sysfsRoot, 'class/block');
  return namesIn(root).flatMap((name) => {
    const directory = realPathOf(join(root, name));
    const sectors = directory === null ? null : readSysfsNumber(directory, 'size');
    if (directory === null || sectors === null) return [];
    const partition = partitionPlace(directory);
    return [
      {
        path: `/dev/${name.replaceAll('!', '/')}`,
        number: readSysfsText(directory, 'dev'),
        sizeBytes: sectors * SECTOR_BYTES,
        partition,
        identity: () => identityOfDisk(partition === null ? directory : dirname(directory)),
      },
    ];
  });
}

/** Null for a whole disk. `directory`: of the device in /sys. */
export function partitionPlace(directory: string): PartitionPlace | null {
  const partitionNumber = readSysfsNumber(directory, 'partition');
  const startSector = readSysfsNumber(directory, 'start');
  return partitionNumber === null || startSector === null ? null : { partitionNumber, startSector };
}

/** Devices come and go: what can't be read has gone, or was never there. */
function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function realPathOf(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}
