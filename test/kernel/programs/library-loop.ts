import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { openDevice as OpenDevice } from '../../../src/library/open-device.js';
import { projectDirectory } from '../lab/project-directory.js';

/**
 * `node --expose-gc library-loop.js MAIN SPARE WARM_UP COUNT`: opens, uses and closes a protected device again and again in one
 * process, through the package as a program would. Prints what the process holds, as JSON, after WARM_UP cycles and
 * after COUNT.
 */
const [main, spare, warmUpCycles, cycles] = process.argv.slice(2) as [string, string, string, string];
const library = (await import(join(projectDirectory, 'dist/library/index.js'))) as {
  readonly openDevice: typeof OpenDevice;
};

const BYTES = 65_536;

for (let cycle = 1; cycle <= Number(cycles); cycle++) {
  await useOnce(cycle);
  if (cycle === Number(warmUpCycles)) show();
}
show();

async function useOnce(cycle: number): Promise<void> {
  const device = await library.openDevice({ main, spares: [spare], ublk: { depth: 16 } });
  const data = new Uint8Array(BYTES).fill(cycle);
  await device.write(0, data);
  await device.flush();
  check(await device.read(0, BYTES), cycle);
  check(readBlockDevice(device.ublk!.path), cycle);
  await device.close();
}

function readBlockDevice(path: string): Uint8Array {
  const fd = openSync(path, 'r');
  const bytes = new Uint8Array(BYTES);
  readSync(fd, bytes, 0, BYTES, 0);
  closeSync(fd);
  return bytes;
}

function check(bytes: Uint8Array, cycle: number): void {
  if (!bytes.every((byte) => byte === cycle % 256)) throw new Error(`cycle ${cycle} read something else`);
}

/** proc(5). */
function show(): void {
  gc!();
  const residentPages = Number(readFileSync('/proc/self/statm', 'utf8').split(' ')[1]);
  const held = {
    files: readdirSync('/proc/self/fd').length,
    threads: readdirSync('/proc/self/task').length,
    mappings: readFileSync('/proc/self/maps', 'utf8').split('\n').length,
    residentKiB: residentPages * 4,
  };
  process.stdout.write(`held ${JSON.stringify(held)}\n`);
}
