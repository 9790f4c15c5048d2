import { closeSync, existsSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Guest } from './guest.js';
import { until } from './until.js';

export interface ScsiDebugOptions {
  readonly sizeMiB: number;
  readonly blockBytes?: 512 | 4096;
  /** Further module parameters, `lbpu=1` for example. */
  readonly parameters?: readonly string[];
}

/** The kernel's simulated SCSI disk: medium errors with sense data, transport errors, vanishing. One at a time. */
export class ScsiDebug {
  /** SCSI address, H:C:T:L. */
  readonly address: string;
  readonly path: string;
  private readonly guest: Guest;

  static async create(guest: Guest, options: ScsiDebugOptions): Promise<ScsiDebug> {
    await guest.modprobe('sd_mod');
    await guest.modprobe(
      'scsi_debug',
      `dev_size_mb=${options.sizeMiB}`,
      `sector_size=${options.blockBytes ?? 512}`,
      'delay=0',
      ...(options.parameters ?? []),
    );
    guest.atEnd(async () => {
      await guest.run(['rmmod', 'scsi_debug']);
    });
    return ScsiDebug.find(guest);
  }

  /** Also after it came back under another name. Waits for it. */
  static async find(guest: Guest): Promise<ScsiDebug> {
    let found: ReturnType<typeof findDisk> = null;
    await until('scsi_debug shows a disk', () => {
      found = findDisk();
      return found !== null && canOpen(found.path);
    });
    const { address, path } = found!;
    return new ScsiDebug(guest, address, path);
  }

  private constructor(guest: Guest, address: string, path: string) {
    this.guest = guest;
    this.address = address;
    this.path = path;
  }

  /** Reads that touch these blocks fail with ENODATA; writes pass and heal nothing. `count` 0: none. */
  mediumErrors(startBlock: number, count: number): void {
    this.guest.write('/sys/module/scsi_debug/parameters/medium_error_count', '0');
    this.guest.write('/sys/module/scsi_debug/parameters/medium_error_start', String(startBlock));
    this.guest.write('/sys/module/scsi_debug/parameters/medium_error_count', String(count));
    this.setOptions(count > 0 ? 2 : 0);
  }

  /** The driver's `opts`: 2 medium errors, 4 timeouts, 8 recovered, 16 transport ... */
  setOptions(bits: number): void {
    this.guest.write('/sys/bus/pseudo/drivers/scsi_debug/opts', String(bits));
  }

  /**
   * The next `count` commands with this opcode (0x28 READ(10), 0x2a WRITE(10), 0x35 SYNCHRONIZE CACHE, 0xff any) end
   * with this sense data. `count` null: all of them until it is removed.
   */
  failCommands(
    opcode: number,
    count: number | null,
    sense: { key: number; asc: number; ascq: number },
  ): void {
    const repeat = count === null ? 1 : -count;
    const bytes = [opcode, 0, 0, CHECK_CONDITION, sense.key, sense.asc, sense.ascq];
    this.errorRule(`2 ${repeat} ${bytes.map((byte) => `0x${byte.toString(16)}`).join(' ')}`);
  }

  /** Removes what `failCommands` set for an opcode. */
  passCommands(opcode: number): void {
    this.errorRule(`- 2 0x${opcode.toString(16)}`);
  }

  /** One line for /sys/kernel/debug/scsi_debug/ADDRESS/error, as the driver documents them. */
  errorRule(line: string): void {
    this.guest.write(join('/sys/kernel/debug/scsi_debug', this.address, 'error'), line);
  }

  /** The disk vanishes, as if it was unplugged; `rescan` brings it back. */
  unplug(): void {
    this.guest.write(join('/sys/bus/scsi/devices', this.address, 'delete'), '1');
  }

  async rescan(): Promise<ScsiDebug> {
    this.guest.write(`/sys/class/scsi_host/host${this.address.split(':')[0]}/scan`, '- - -');
    return ScsiDebug.find(this.guest);
  }
}

function findDisk(): { address: string; path: string } | null {
  const adapter = '/sys/bus/pseudo/drivers/scsi_debug/adapter0';
  if (!existsSync(adapter)) return null;
  const host = readdirSync(adapter)
    .find((entry) => /^host\d+$/.test(entry))
    ?.slice('host'.length);
  const address = readdirSync('/sys/bus/scsi/devices').find((entry) => entry.startsWith(`${host}:`));
  if (address === undefined) return null;
  const block = join('/sys/bus/scsi/devices', address, 'block');
  const name = existsSync(block) ? readdirSync(block)[0] : undefined;
  if (name === undefined || !existsSync(join('/dev', name))) return null;
  return { address, path: join('/dev', name) };
}

/** The node is there a moment before the driver has the disk ready. */
function canOpen(path: string): boolean {
  try {
    closeSync(openSync(path, 'r'));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENXIO') return false;
    throw error;
  }
}

/** SAM status of a command that has sense data. */
const CHECK_CONDITION = 2;
