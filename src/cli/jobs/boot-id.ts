import { readFile } from 'node:fs/promises';

/** Of the kernel: another one after each start of the machine. */
export async function readBootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}
