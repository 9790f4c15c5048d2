import { xorshift } from '../../support/xorshift.js';
import { MappedDevice, tableWithBadSectors } from '../lab/guest/device-mapper.js';
import { diskPath, sectorCount } from '../lab/guest/disks.js';
import { dmremap, serve } from '../lab/guest/dmremap.js';
import { expectEqual } from '../lab/guest/expect.js';
import {
  checkFileSystem,
  FILE_SYSTEMS,
  type FileSystem,
  makeFileSystem,
  mount,
  unmount,
} from '../lab/guest/file-system.js';
import { makeTree, treeChecksum } from '../lab/guest/file-tree.js';
import type { Guest } from '../lab/guest/guest.js';
import { remapsOf, unitsOf } from '../lab/guest/remaps.js';
import { type Frontend, type Lab, scenario } from '../lab/scenario.js';

/** mkfs.xfs takes no less than 300. */
const DISK_MIB = 320;

export default scenario({
  name: 'fio-verify',
  about:
    'Over a disk with bad sectors, blocks of 512 and 4096: fio verifies, ext4, xfs and btrfs keep a tree of files.',
  kernels: ['6.12', '6.18'],
  notInSuite: 'takes 7 minutes; the suite shall end in 30',
  frontends: ['nbd', 'ublk'],
  memoryMiB: 1024,
  disks: {
    main512: { sizeMiB: DISK_MIB },
    main4096: { sizeMiB: DISK_MIB, logicalBlockBytes: 4096 },
    spare512: { sizeMiB: 16 },
    spare4096: { sizeMiB: 16, logicalBlockBytes: 4096 },
  },
  timeoutSeconds: 600,
  async host(lab) {
    const machine = await lab.boot();
    for (const frontend of lab.frontends) {
      for (const blockBytes of [512, 4096]) await machine.run('use', argsOf(lab, frontend, blockBytes));
    }
    await machine.powerOff();
  },
  steps: { use },
});

interface UseArguments {
  readonly frontend: Frontend;
  readonly blockBytes: 512 | 4096;
  readonly seed: number;
}

function argsOf(lab: Lab, frontend: Frontend, blockBytes: number): object {
  return { frontend, blockBytes, seed: lab.seed };
}

async function use(guest: Guest, { frontend, blockBytes, seed }: UseArguments): Promise<void> {
  const disk = diskPath(`main${blockBytes}`);
  const spare = diskPath(`spare${blockBytes}`);
  const badSectors = chooseBadSectors(seed, sectorCount(disk), blockBytes / 512);
  const bad = await MappedDevice.create(
    guest,
    'bad',
    tableWithBadSectors(disk, badSectors, blockBytes / 512),
  );
  await dmremap(guest, ['format', '--main', bad.path, '--spare', spare, '--yes', '--force']);
  const served = await serve(guest, { main: bad.path, spares: [spare], frontend, blockBytes });
  // Every bad sector is written first: from here on nothing may fail, reading neither.
  await guest.run(['dd', 'if=/dev/zero', `of=${served.path}`, 'bs=1M', `count=${DISK_MIB}`, 'oflag=direct'], {
    timeoutSeconds: 200,
  });
  for (const depth of [1, 32]) {
    const sizes = `--bsrange=${blockBytes}-128k`;
    await fio(guest, served.path, [
      '--rw=randwrite',
      sizes,
      `--iodepth=${depth}`,
      '--size=64M',
      '--io_size=24M',
    ]);
  }
  for (const type of FILE_SYSTEMS) await keepTree(guest, type, served.path, seed);
  await served.stop();
  const moved = (await remapsOf(guest, [spare])).map((remap) => remap.mainSector);
  expectEqual(moved, unitsOf(badSectors), 'units that were moved');
}

async function keepTree(guest: Guest, type: FileSystem, device: string, seed: number): Promise<void> {
  makeTree('/run/lab/tree', { seed, fileCount: 200, maxFileBytes: 100_000 });
  const checksum = treeChecksum('/run/lab/tree');
  await makeFileSystem(guest, type, device);
  const directory = await mount(guest, type, device);
  await guest.run(['cp', '-a', '/run/lab/tree', `${directory}/tree`]);
  await unmount(guest, directory);
  await mount(guest, type, device);
  expectEqual(treeChecksum(`${directory}/tree`), checksum, `${type}: checksum after mounting again`);
  await unmount(guest, directory);
  await checkFileSystem(guest, type, device);
}

async function fio(guest: Guest, device: string, args: readonly string[]): Promise<void> {
  const common = ['--name=verify', `--filename=${device}`, '--ioengine=libaio', '--direct=1'];
  const verify = ['--verify=crc32c', '--verify_fatal=1', '--do_verify=1'];
  await guest.run(['fio', ...common, ...verify, ...args], { timeoutSeconds: 200, directory: '/run/lab' });
}

/** Some alone, some side by side, all over the disk. */
function chooseBadSectors(seed: number, sectors: number, blockSectors: number): number[] {
  const random = xorshift(seed);
  const chosen = new Set<number>();
  for (let place = 0; place < 20; place++) {
    const first = random() % (sectors - 64);
    for (let run = 1 + (random() % 3); run > 0; run--) {
      const sector = first + run * blockSectors;
      chosen.add(sector - (sector % blockSectors));
    }
  }
  return [...chosen];
}
