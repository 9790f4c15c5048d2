import { writeFileSync } from 'node:fs';
import type { DiskImages } from '../test/support/disk-images.js';
import { dmremapProgram } from '../test/support/dmremap-program.js';
import { runTool } from '../test/support/run-tool.js';
import { ServedDeviceProcess } from '../test/support/served-device.js';

/**
 * Makes a table with `count` remaps, on every second unit from the second on, the way a failing disk would: one
 * sector of each unit is given a write fault, everything is written once, and the faults are gone in the next run.
 * Throws when the device does not report that many afterwards.
 */
export async function plantRemaps(images: DiskImages, count: number): Promise<void> {
  const roomFor = remapsEndBytes(images.mainBytes) / UNIT_BYTES / 2;
  if (count > roomFor)
    throw new Error(`${count} remaps do not fit: a larger --size-mib has room, this for ${roomFor}`);
  const sectors = Array.from({ length: count }, (_, index) => (2 * index + 1) * UNIT_SECTORS);
  const faultsPath = images.path('plant.yaml');
  writeFileSync(faultsPath, `main:\n  - { sectors: "${sectors.join(',')}", on: [write], error: ENODATA }\n`);
  const served = await ServedDeviceProcess.start(images, { faultsPath });
  try {
    await writeEverything(served.uris.unix, images.directory, images.mainBytes);
  } finally {
    await served.stop();
  }
  const planted = await remapCount(images.sparePath);
  if (planted < count) throw new Error(`only ${planted} of ${count} remaps were made\n${served.log}`);
}

/** No remap lies behind this: four fifths of the device. */
export function remapsEndBytes(sizeBytes: number): number {
  return Math.floor((sizeBytes * 4) / 5 / MIB) * MIB;
}

const MIB = 2 ** 20;
const UNIT_BYTES = 4096;
const UNIT_SECTORS = UNIT_BYTES / 512;
const PLANT_MS_MAX = 600_000;

async function writeEverything(uri: string, directory: string, sizeBytes: number): Promise<void> {
  const options = ['--name=plant', '--ioengine=nbd', '--rw=write', '--bs=4k', '--iodepth=64', `--uri=${uri}`];
  await runTool('fio', [...options, `--size=${sizeBytes}`], { directory, timeoutMs: PLANT_MS_MAX });
}

async function remapCount(sparePath: string): Promise<number> {
  const text = await runTool(process.execPath, [dmremapProgram(), 'inspect', sparePath, '--json']);
  const inspection = JSON.parse(text) as Record<string, number>;
  return inspection.usableSpareUnits! - inspection.freeSpareUnits! - inspection.retiredSpareUnits!;
}
