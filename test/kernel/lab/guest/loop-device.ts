import type { Guest } from './guest.js';

/** A block device over a file; returns its path. */
export async function loopDevice(guest: Guest, file: string, blockBytes = 512): Promise<string> {
  await guest.modprobe('loop');
  const made = await guest.run(['losetup', '--find', '--show', '--sector-size', String(blockBytes), file]);
  const path = made.stdout.trim();
  guest.atEnd(async () => {
    await guest.run(['losetup', '--detach', path]);
  });
  return path;
}
