import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { diskPath } from './disks.js';
import type { Guest } from './guest.js';
import { until } from './until.js';

/** A SCSI disk of the machine, by the name that the scenario gave it. It can be unplugged and found again. */
export class ScsiDisk {
  readonly name: string;
  private readonly guest: Guest;

  constructor(guest: Guest, name: string) {
    this.guest = guest;
    this.name = name;
  }

  /** `/dev/sdX`, another one after it was away and somebody still had it open. */
  get path(): string {
    return diskPath(this.name);
  }

  /** The disk vanishes, as if it was pulled out. */
  unplug(): void {
    this.guest.write(join('/sys/block', basename(this.path), 'device/delete'), '1');
  }

  /** Plugged in again. */
  async rescan(): Promise<void> {
    for (const host of readdirSync('/sys/class/scsi_host'))
      this.guest.write(join('/sys/class/scsi_host', host, 'scan'), '- - -');
    await until(`the disk ${this.name} comes back`, () => isThere(this.name));
  }
}

function isThere(name: string): boolean {
  try {
    return existsSync(diskPath(name));
  } catch {
    // Not listed, or listed and not ready to be asked for its serial number.
    return false;
  }
}

/** Whether the kernel thinks that a SCSI disk has a write cache, which is to be flushed. */
export function setCacheType(guest: Guest, path: string, type: 'write through' | 'write back'): void {
  const address = basename(readlinkSync(join('/sys/block', basename(path), 'device')));
  guest.write(join('/sys/class/scsi_disk', address, 'cache_type'), `temporary ${type}`);
}
