import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Guest } from './guest.js';

/** Attributes of a null_blk device in configfs; sizes are MiB. Unsaid: in memory, 512-byte blocks. */
export interface NullBlockOptions {
  readonly sizeMiB: number;
  readonly blockBytes?: 512 | 4096;
  /** Anything else: `discard`, `cache_size`, `irqmode`, `completion_nsec`, `mbps`, `zoned` ... */
  readonly attributes?: Readonly<Record<string, string | number>>;
}

/** A disk in memory whose bad sectors can be set while it is used. */
export class NullBlock {
  readonly path: string;
  private readonly directory: string;
  private readonly guest: Guest;

  static async create(guest: Guest, name: string, options: NullBlockOptions): Promise<NullBlock> {
    await guest.modprobe('null_blk', 'nr_devices=0');
    const device = new NullBlock(guest, name);
    mkdirSync(device.directory);
    device.set('size', options.sizeMiB);
    device.set('memory_backed', 1);
    device.set('blocksize', options.blockBytes ?? 512);
    for (const [attribute, value] of Object.entries(options.attributes ?? {})) device.set(attribute, value);
    device.set('power', 1);
    guest.atEnd(async () => rmdirSync(device.directory));
    return device;
  }

  /** A device that an earlier step left. */
  constructor(guest: Guest, name: string) {
    this.guest = guest;
    this.directory = join('/sys/kernel/config/nullb', name);
    this.path = join('/dev', name);
  }

  /** Reading and writing them gives EIO from now on. Both ends belong to it; sectors of 512 bytes. */
  addBadSectors(first: number, last: number): void {
    this.set('badblocks', `+${first}-${last}`);
  }

  clearBadSectors(first: number, last: number): void {
    this.set('badblocks', `-${first}-${last}`);
  }

  /** The device vanishes, its contents stay; `1` brings it back. */
  power(on: 0 | 1): void {
    this.set('power', on);
  }

  set(attribute: string, value: string | number): void {
    this.guest.write(join(this.directory, attribute), String(value));
  }
}
