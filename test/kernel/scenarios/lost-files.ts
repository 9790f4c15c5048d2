import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { linearTable, MappedDevice, tableWithBadSectors } from '../lab/guest/device-mapper.js';
import { diskPath } from '../lab/guest/disks.js';
import { dmremap, serve } from '../lab/guest/dmremap.js';
import { expectEqual } from '../lab/guest/expect.js';
import { makeFileSystem, mount, unmount } from '../lab/guest/file-system.js';
import type { Guest } from '../lab/guest/guest.js';
import { PatternFile } from '../lab/guest/pattern-file.js';
import { fillPattern, SECTOR_BYTES } from '../lab/guest/sector-pattern.js';
import { scenario } from '../lab/scenario.js';

export default scenario({
  name: 'lost-files',
  about:
    'Lost sectors of files on btrfs, one in a subvolume, are told by name while it is mounted; of free space by none.',
  kernels: ['6.12'],
  notInSuite: 'takes 2 minutes; the suite shall end in 30',
  disks: { main: { sizeMiB: 160 }, spare: { sizeMiB: 16 } },
  timeoutSeconds: 300,
  steps: {
    async main(guest) {
      const main = await MappedDevice.create(guest, 'main', linearTable(diskPath('main')));
      await dmremap(guest, ['format', '--main', main.path, '--spare', diskPath('spare'), '--yes']);
      const served = await serve(guest, { main: main.path, spares: [diskPath('spare')], frontend: 'ublk' });
      await makeFileSystem(guest, 'btrfs', served.path);
      const directory = await mount(guest, 'btrfs', served.path);
      await guest.run(['btrfs', 'subvolume', 'create', join(directory, 'below')]);
      for (const [index, name] of NAMES.entries()) writeFileSync(join(directory, name), contentsOf(index));
      await unmount(guest, directory);

      const bad = [...(await sectorsOf(served.path)), FREE_SECTOR];
      await main.replaceTable(tableWithBadSectors(diskPath('main'), bad));
      const file = await PatternFile.open(served.path);
      for (const sector of bad) expectEqual(await file.readError(sector, 1), 'EIO', `sector ${sector}`);
      await file.close();
      await mount(guest, 'btrfs', served.path);
      expectEqual(await lostFiles(guest, served.path), expected(bad), 'lost files');
      await unmount(guest, directory);
      await served.stop();
    },
  },
});

function contentsOf(index: number): Uint8Array {
  const bytes = new Uint8Array(FILE_SECTORS * SECTOR_BYTES);
  fillPattern(bytes, addressOf(index), 1);
  return bytes;
}

/** Where one sector of each file is: they say what they are. */
async function sectorsOf(path: string): Promise<number[]> {
  const found = new Map<number, number>();
  const device = await PatternFile.open(path);
  for (let first = 0; first < DISK_SECTORS; first += SECTORS_AT_ONCE) {
    for (const [index, contents] of (await device.read(first, SECTORS_AT_ONCE)).entries())
      if (contents.kind === 'pattern') found.set(contents.lba, first + index);
  }
  await device.close();
  return NAMES.map((_, index) => found.get(addressOf(index) + LOST_WITHIN)!);
}

async function lostFiles(guest: Guest, path: string): Promise<unknown> {
  const { stdout } = await dmremap(guest, ['lost', path, '--files', '--json']);
  const { files, sectorsOfNoFile } = JSON.parse(stdout);
  const named = files.map(({ path: name, sectors }: { path: string; sectors: number[] }) => [name, sectors]);
  return [named.sort(), sectorsOfNoFile];
}

function expected(bad: readonly number[]): unknown {
  return [NAMES.map((name, index) => [`/${name}`, [bad[index]]]).sort(), [FREE_SECTOR]];
}

function addressOf(index: number): number {
  return (index + 1) * FILE_SECTORS;
}

const NAMES = ['letter', 'below/a deep one'];
const FILE_SECTORS = 2_048;
const LOST_WITHIN = 1_001;
const DISK_SECTORS = 160 * 2_048;
const SECTORS_AT_ONCE = 2_048;
const FREE_SECTOR = DISK_SECTORS - 8_000;
