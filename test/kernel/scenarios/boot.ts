import { writeFileSync } from 'node:fs';
import { ramDisks } from '../lab/guest/brd.js';
import { MappedDevice, tableWithBadSectors } from '../lab/guest/device-mapper.js';
import { diskPath } from '../lab/guest/disks.js';
import { expect, expectEqual } from '../lab/guest/expect.js';
import type { Guest } from '../lab/guest/guest.js';
import { loopDevice } from '../lab/guest/loop-device.js';
import { NullBlock } from '../lab/guest/null-block.js';
import { PatternFile } from '../lab/guest/pattern-file.js';
import { ScsiDebug } from '../lab/guest/scsi-debug.js';
import { scenario } from '../lab/scenario.js';

export default scenario({
  name: 'boot',
  about:
    'A machine boots; its disks, every kind of test device and all drivers are there and fail as they are told to.',
  kernels: ['6.12', '6.18'],
  disks: { main: { sizeMiB: 64 }, spare: { sizeMiB: 32, logicalBlockBytes: 4096, bus: 'scsi' } },
  steps: {
    async main(guest) {
      for (const module of MODULES) await guest.modprobe(module);
      for (const name of ['main', 'spare']) await roundTrip(diskPath(name));
      await mapped(guest);
      await nullBlock(guest);
      await scsiDebug(guest);
      await loop(guest);
    },
  },
});

const MODULES = ['ublk_drv', 'nbd', 'dm_flakey', 'dm_delay', 'dm_log_writes', 'dm_snapshot'];

async function mapped(guest: Guest): Promise<void> {
  const [ram] = await ramDisks(guest, 1, 16);
  const device = await MappedDevice.create(guest, 'bad', tableWithBadSectors(ram!, [100, 101, 200]));
  await roundTrip(device.path);
  expectEqual(await readError(device.path, 100), 'EIO', 'reading a bad sector');
  await device.replaceTable(tableWithBadSectors(ram!, [300]));
  expectEqual(await readError(device.path, 100), null, 'reading it after the table was swapped');
}

async function nullBlock(guest: Guest): Promise<void> {
  const device = await NullBlock.create(guest, 'nullb-lab', { sizeMiB: 16, blockBytes: 512 });
  await roundTrip(device.path);
  device.addBadSectors(100, 100);
  expectEqual(await readError(device.path, 100), 'EIO', 'reading a bad sector of null_blk');
  device.clearBadSectors(100, 100);
  expectEqual(await readError(device.path, 100), null, 'reading it again');
}

async function scsiDebug(guest: Guest): Promise<void> {
  const disk = await ScsiDebug.create(guest, { sizeMiB: 16, parameters: ['lbpu=1'] });
  await roundTrip(disk.path);
  disk.mediumErrors(100, 1);
  expectEqual(await readError(disk.path, 100), 'ENODATA', 'reading a bad sector of scsi_debug');
  disk.mediumErrors(0, 0);
  disk.failCommands(0x28, null, { key: 4, asc: 0x44, ascq: 0 });
  expectEqual(await readError(disk.path, 100), 'EREMOTEIO', 'reading with a hardware error');
  disk.passCommands(0x28);
  disk.unplug();
  await roundTrip((await disk.rescan()).path);
}

async function loop(guest: Guest): Promise<void> {
  writeFileSync('/run/lab/image', Buffer.alloc(1 << 20));
  await roundTrip(await loopDevice(guest, '/run/lab/image', 4096));
}

async function roundTrip(path: string): Promise<void> {
  const file = await PatternFile.open(path);
  await file.write(8, 16, 1);
  await file.expect(8, 16, 1);
  await file.flush();
  await file.close();
}

async function readError(path: string, sector: number): Promise<string | null> {
  const file = await PatternFile.open(path);
  const code = await file.readError(sector, 1);
  await file.close();
  expect(code === null || code.startsWith('E'), `an error code: ${code}`);
  return code;
}
