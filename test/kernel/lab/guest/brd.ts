import type { Guest } from './guest.js';

/** RAM disks /dev/ram0 and on: no errors, no cache, 512-byte blocks. Once per step; returns their paths. */
export async function ramDisks(guest: Guest, count: number, sizeMiB: number): Promise<string[]> {
  await guest.modprobe('brd', `rd_nr=${count}`, `rd_size=${sizeMiB * 1024}`);
  guest.atEnd(async () => {
    await guest.run(['rmmod', 'brd']);
  });
  return Array.from({ length: count }, (_, index) => `/dev/ram${index}`);
}
