import { closeSync, ftruncateSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { DiskOptions } from '../scenario.js';

/** A disk of a scenario: it outlives the machines that use it. */
export interface Disk {
  readonly name: string;
  readonly options: DiskOptions;
  /** The file with its contents; right only while no machine runs. */
  readonly imagePath: string;
  /** QEMU's name for where the data is: a file, or a socket. */
  readonly source: string;
  /** What happens to a write cache when no machine runs any more. */
  powerLost(): Promise<void>;
  powerOff(): Promise<void>;
  close(): Promise<void>;
}

/** A disk whose contents are a sparse file. Everything that the guest saw completed survives. */
export function plainDisk(name: string, options: DiskOptions, directory: string): Disk {
  const imagePath = join(directory, `${name}.img`);
  makeImage(imagePath, options.sizeMiB);
  const nothing = async (): Promise<void> => {};
  return {
    name,
    options,
    imagePath,
    source: imagePath,
    powerLost: nothing,
    powerOff: nothing,
    close: nothing,
  };
}

export function makeImage(path: string, sizeMiB: number): void {
  const fd = openSync(path, 'wx');
  ftruncateSync(fd, sizeMiB * (1 << 20));
  closeSync(fd);
}
