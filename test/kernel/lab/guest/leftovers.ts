import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a protected device may leave behind on a machine. */
export interface Leftovers {
  /** Nodes of ublk devices in /dev, and what the driver shows of them. */
  readonly ublkDevices: readonly string[];
  /** Files of /run/dm-remap. */
  readonly runFiles: readonly string[];
  /** Command lines of other processes, sorted. */
  readonly programs: readonly string[];
  /** Device-mapper devices and others on top of block devices. */
  readonly holders: readonly string[];
  /** NBD devices with a client. */
  readonly nbdClients: readonly string[];
}

export function leftovers(): Leftovers {
  const blockDevices = readdirSync('/sys/block');
  return {
    ublkDevices: [
      ...readdirSync('/dev').filter((name) => /^ublk[bc]\d/.test(name)),
      ...list('/sys/class/ublk-char'),
    ],
    runFiles: list('/run/dm-remap'),
    programs: programs(),
    holders: blockDevices.flatMap((name) => list(join('/sys/block', name, 'holders'))),
    nbdClients: blockDevices.filter((name) => existsSync(join('/sys/block', name, 'pid'))),
  };
}

/** Kernel threads have no command line; those of the block layer come and go by themselves. */
function programs(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => commandLine(pid))
    .filter((line) => line !== '')
    .sort();
}

function commandLine(pid: string): string {
  try {
    return readFileSync(join('/proc', pid, 'cmdline'), 'utf8')
      .replaceAll('\0', ' ')
      .trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return '';
    throw error;
  }
}

function list(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}
