import { sectorCount } from './disks.js';
import type { Guest } from './guest.js';

/** A device-mapper device whose table can be swapped under its users. Addresses are sectors of 512 bytes. */
export class MappedDevice {
  readonly name: string;
  readonly path: string;
  private readonly guest: Guest;
  private isRemoved = false;

  /** `table`: its lines, as dmsetup(8) reads them. */
  static async create(guest: Guest, name: string, table: string): Promise<MappedDevice> {
    await guest.modprobe('dm_mod');
    await dmsetup(guest, ['create', name], table);
    const device = new MappedDevice(guest, name);
    guest.atEnd(() => device.remove());
    return device;
  }

  /** A device that an earlier step left. */
  constructor(guest: Guest, name: string) {
    this.guest = guest;
    this.name = name;
    this.path = `/dev/mapper/${name}`;
  }

  /** Swaps the table; I/O that waits meanwhile goes to the new one. */
  async replaceTable(table: string): Promise<void> {
    await this.suspend();
    await dmsetup(this.guest, ['load', this.name], table);
    await this.resume();
  }

  /** From now on I/O hangs: what is in flight isn't waited for. */
  async suspend(): Promise<void> {
    await dmsetup(this.guest, ['suspend', '--noflush', '--nolockfs', this.name]);
  }

  async resume(): Promise<void> {
    await dmsetup(this.guest, ['resume', this.name]);
  }

  /** Swaps in a table where everything is an error, for good: a disk that was pulled. */
  async fail(): Promise<void> {
    await dmsetup(this.guest, ['wipe_table', this.name]);
  }

  async message(text: string): Promise<void> {
    await dmsetup(this.guest, ['message', this.name, '0', text]);
  }

  /** A second time does nothing. */
  async remove(): Promise<void> {
    if (this.isRemoved) return;
    this.isRemoved = true;
    await dmsetup(this.guest, ['remove', '--retry', this.name]);
  }
}

/**
 * A table over a device that passes everything on but some places, each `lengthSectors` long, which fail reading and
 * writing.
 */
export function tableWithBadSectors(
  device: string,
  badSectors: readonly number[],
  lengthSectors = 1,
): string {
  const lines: string[] = [];
  let next = 0;
  const passTo = (end: number): void => {
    if (end > next) lines.push(`${next} ${end - next} linear ${device} ${next}`);
  };
  for (const bad of [...badSectors].sort((a, b) => a - b)) {
    passTo(bad);
    lines.push(`${bad} ${lengthSectors} error`);
    next = bad + lengthSectors;
  }
  passTo(sectorCount(device));
  return `${lines.join('\n')}\n`;
}

/** Everything passed on to one device. */
export function linearTable(device: string): string {
  return `0 ${sectorCount(device)} linear ${device} 0\n`;
}

/** There is no udev in a machine: dmsetup makes the nodes itself. */
async function dmsetup(guest: Guest, args: readonly string[], input = ''): Promise<void> {
  await guest.run(['dmsetup', ...args], { input, environment: { DM_DISABLE_UDEV: '1' } });
}
