import { basename } from 'node:path';
import { MappedDevice, tableWithBadSectors } from '../lab/guest/device-mapper.js';
import { diskPath } from '../lab/guest/disks.js';
import { dmremap, type Served, serve } from '../lab/guest/dmremap.js';
import { expectEqual } from '../lab/guest/expect.js';
import { checkFileSystem, makeFileSystem, mount, unmount } from '../lab/guest/file-system.js';
import { FilledFiles } from '../lab/guest/filled-files.js';
import type { Guest } from '../lab/guest/guest.js';
import { PatternFile } from '../lab/guest/pattern-file.js';
import { blank, remapsOf, unitsOf } from '../lab/guest/remaps.js';
import { type Frontend, scenario } from '../lab/scenario.js';

export default scenario({
  name: 'documented-bad-sectors',
  about:
    'The bad sectors of the documents, met by direct I/O and by ext4: every write succeeds, exact remaps, kept.',
  kernels: ['6.12', '6.18'],
  notInSuite: { '6.18 nbd': 'the same server behind a socket as on 6.12; zero copy is for ublk only' },
  frontends: ['nbd', 'ublk'],
  disks: { main: { sizeMiB: 100 }, spare: { sizeMiB: 50 } },
  timeoutSeconds: 300,
  steps: {
    async main(guest, { frontend }: { frontend: Frontend }) {
      await directIo(guest, frontend);
      await ext4(guest, frontend);
    },
  },
});

const DIRECT_BAD = [100, 101, 200, 300, 400];
const EXT4_BAD = [50_000, 50_001, 75_000, 100_000, 150_000];

/** A fresh disk with bad sectors, protected. */
interface Protected {
  readonly bad: MappedDevice;
  start(): Promise<Served>;
}

async function protect(guest: Guest, frontend: Frontend, badSectors: readonly number[]): Promise<Protected> {
  const spare = diskPath('spare');
  for (const disk of [diskPath('main'), spare]) await blank(guest, disk);
  await fillDisk();
  const bad = await MappedDevice.create(guest, 'bad', tableWithBadSectors(diskPath('main'), badSectors));
  await dmremap(guest, ['format', '--main', bad.path, '--spare', spare, '--yes']);
  return { bad, start: () => serve(guest, { main: bad.path, spares: [spare], frontend }) };
}

/** Generation 1 around everything that is looked at later. */
async function fillDisk(): Promise<void> {
  const disk = await PatternFile.open(diskPath('main'));
  await disk.writeAll(0, FILLED_SECTORS, 1);
  await disk.close();
}

async function directIo(guest: Guest, frontend: Frontend): Promise<void> {
  const { bad, start } = await protect(guest, frontend, DIRECT_BAD);
  const served = await start();
  const file = await PatternFile.open(served.path);
  for (const sector of DIRECT_BAD) await file.write(sector, 1, 2);
  const generation = (sector: number): number => (DIRECT_BAD.includes(sector) ? 2 : 1);
  await file.expect(0, FILLED_SECTORS, generation);

  // Requests that begin before, end behind and lie between what was moved.
  await file.write(190, 20, 3);
  await file.write(298, 5, 3);
  await file.write(390, 200, 3);
  const isStraddled = (sector: number): boolean =>
    STRADDLING.some(([first, count]) => sector >= first && sector < first + count);
  const newest = (sector: number): number => (isStraddled(sector) ? 3 : generation(sector));
  await file.expect(0, FILLED_SECTORS, newest);
  for (const sector of [99, 196, 199, 201, 299, 399]) await file.expect(sector, 7, newest);
  await file.flush();
  await file.close();
  await served.stop();
  await expectRemaps(guest, DIRECT_BAD);
  await expectUntouched();

  const again = await start();
  const reopened = await PatternFile.open(again.path);
  await reopened.expect(0, FILLED_SECTORS, newest);
  await reopened.close();
  await again.stop();
  await expectRemaps(guest, DIRECT_BAD);
  await bad.remove();
}

/** The bad sectors themselves were never written on the disk below. */
async function expectUntouched(): Promise<void> {
  const disk = await PatternFile.open(diskPath('main'));
  for (const sector of DIRECT_BAD) await disk.expect(sector, 1, 1);
  await disk.close();
}

async function ext4(guest: Guest, frontend: Frontend): Promise<void> {
  const { bad, start } = await protect(guest, frontend, EXT4_BAD);
  const served = await start();
  await makeFileSystem(guest, 'ext4', served.path);
  const directory = await mount(guest, 'ext4', served.path, AT_ONCE);
  const files = await fillFileSystem(guest, directory, served.path);
  await unmount(guest, directory);
  await served.stop();
  await expectRemaps(guest, EXT4_BAD);

  const again = await start();
  await checkFileSystem(guest, 'ext4', again.path);
  const directoryAgain = await mount(guest, 'ext4', again.path);
  await files.check(directoryAgain);
  await unmount(guest, directoryAgain);
  await again.stop();
  await bad.remove();
}

/**
 * Writes files until no block is free, so that every bad sector is met, also if it is in the two hundredths that ext4
 * keeps back.
 */
async function fillFileSystem(guest: Guest, directory: string, device: string): Promise<FilledFiles> {
  guest.write(`/sys/fs/ext4/${basename(device)}/reserved_clusters`, '0');
  const files = await FilledFiles.fill(directory);
  const { stdout } = await guest.run(['stat', '-f', '-c', '%f', directory]);
  expectEqual(stdout, '0\n', 'blocks that are free when no file can be written any more');
  return files;
}

async function expectRemaps(guest: Guest, badSectors: readonly number[]): Promise<void> {
  const remaps = await remapsOf(guest, [diskPath('spare')]);
  const found = remaps.map((remap) => remap.mainSector);
  expectEqual(found, unitsOf(badSectors), 'units that were moved');
  expectEqual(
    remaps.flatMap((remap) => remap.lostSectors),
    [],
    'lost sectors',
  );
}

/**
 * Blocks are allocated when a file is written. Allocated later, they may want one block more, for the list of them,
 * which nothing is kept back for here: ext4 drops pages of the file then ("Data will be lost").
 */
const AT_ONCE = ['-o', 'nodelalloc'];
const FILLED_SECTORS = 2048;
const STRADDLING = [
  [190, 20],
  [298, 5],
  [390, 200],
] as const;
