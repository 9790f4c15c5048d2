import { writeFileSync } from 'node:fs';
import type { DiskImages } from '../test/support/disk-images.js';
import { runTool } from '../test/support/run-tool.js';
import { ServedDeviceProcess } from '../test/support/served-device.js';

/**
 * Makes a table with `count` remaps, spread evenly over the main device, the way a failing disk would: one sector of
 * each unit is given a write fault, everything is written once, and the faults are gone in the next run. Throws when
 * the device does not report that many afterwards.
 */
export async function plantRemaps(images: DiskImages, count: number): Promise<void> {
  const unitCount = images.mainBytes / UNIT_BYTES;
  if (count > unitCount) throw new Error(`${count} remaps do not fit on ${unitCount} units`);
  const sectors = Array.from(
    { length: count },
    (_, index) => Math.floor((index * unitCount) / count) * UNIT_SECTORS,
  );
  const faultsPath = images.path('plant.yaml');
  writeFileSync(faultsPath, `main:\n  - { sectors: "${sectors.join(',')}", on: [write], error: ENODATA }\n`);
  const served = await ServedDeviceProcess.start(images, { faultsPath });
  try {
    await writeEverything(served.uris.unix, images.directory, images.mainBytes);
    const planted = await remapCount(served.uris.unix);
    if (planted < count) throw new Error(`only ${planted} of ${count} remaps were made\n${served.log}`);
  } finally {
    await served.stop();
  }
}

const UNIT_BYTES = 4096;
const UNIT_SECTORS = UNIT_BYTES / 512;
const PLANT_MS_MAX = 600_000;

async function writeEverything(uri: string, directory: string, sizeBytes: number): Promise<void> {
  const options = ['--name=plant', '--ioengine=nbd', '--rw=write', '--bs=4k', '--iodepth=64', `--uri=${uri}`];
  await runTool('fio', [...options, `--size=${sizeBytes}`], { directory, timeoutMs: PLANT_MS_MAX });
}

async function remapCount(uri: string): Promise<number> {
  const map = await runTool('nbdinfo', ['--json', '--map=x-dm-remap:state', uri]);
  const extents = JSON.parse(map) as { length: number; type: number }[];
  return extents.reduce((count, { length, type }) => count + ((type & 1) === 0 ? 0 : length / UNIT_BYTES), 0);
}
