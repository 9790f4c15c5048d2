import { readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Background } from './background.js';
import { type Served, type ServeOptions, serve } from './dmremap.js';
import { expectEqual } from './expect.js';
import type { Guest } from './guest.js';
import { PatternFile } from './pattern-file.js';
import { expectNoUblkDevice } from './ublk-left-overs.js';

/** The next server works, and nothing is left when it has stopped. */
export async function worksAndGoes(guest: Guest, options: ServeOptions): Promise<void> {
  const served = await serve(guest, options);
  const file = await PatternFile.open(served.path);
  await file.writeAll(100, 64, 3);
  await file.expect(100, 64, 3);
  await file.close();
  await stopLast(served);
}

export async function stopLast(served: Served): Promise<void> {
  expectEqual(served.path, '/dev/ublkb0', 'the device');
  await served.stop();
  expectNoUblkDevice();
}

/** SIGKILL as soon as something is so. */
export async function killWhen(
  program: Background,
  reached: (program: Background) => boolean,
): Promise<void> {
  while (!reached(program)) await delay(1);
  program.kill('SIGKILL');
  await program.finish();
}

/** Between START_USER_RECOVERY or ADD_DEV and the end of its start, and later. */
export function hasOpenCharacterDevice({ pid }: Background): boolean {
  const directory = `/proc/${pid}/fd`;
  return readdirSync(directory).some((fd) => targetOf(`${directory}/${fd}`) === '/dev/ublkc0');
}

/** Descriptors are closed while one looks. */
function targetOf(link: string): string | null {
  try {
    return readlinkSync(link);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
