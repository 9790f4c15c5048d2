import { mkdirSync, readFileSync } from 'node:fs';
import type { Background } from '../lab/guest/background.js';
import type { CommandEnd } from '../lab/guest/command.js';
import { expect, expectEqual } from '../lab/guest/expect.js';
import { checkFileSystem, makeFileSystem } from '../lab/guest/file-system.js';
import { makeTree, treeChecksum } from '../lab/guest/file-tree.js';
import type { Guest } from '../lab/guest/guest.js';
import { NullBlock } from '../lab/guest/null-block.js';
import { installCommand, readmeCommand } from '../lab/guest/readme.js';
import { scenario } from '../lab/scenario.js';

export default scenario({
  name: 'readme',
  about:
    'The commands of the README, as they stand there: from a failing disk with a file system on a partition of it to a mounted protected device, and to the same files without dm-remap.',
  kernels: ['6.12', '6.18'],
  notInSuite: {
    '6.18': 'the same commands; what zero copy changes is in ublk-basics and documented-bad-sectors',
  },
  timeoutSeconds: 400,
  steps: {
    async main(guest) {
      const disk = await failingDisk(guest);
      const reader = new Reader(guest);

      await reader.does('dmremap format --main /dev/sdX', ' --yes');
      const server = reader.begins('dmremap run --main /dev/sdX');
      await server.line(/^ready \/dev\/ublkb0$/, 120);
      await reader.does('mount /dev/ublkb0p1');
      expectEqual(treeChecksum('/mnt/before'), disk.checksum, 'the files that were there');
      makeTree('/mnt/after', { seed: 2, fileCount: 400, maxFileBytes: 200_000 });
      await guest.run(['sync', '-f', '/mnt']);
      const checksum = treeChecksum('/mnt');
      const { stdout: state } = await reader.does('dmremap status');
      expect(/moved: [1-9]\d* units?/.test(state), `bad sectors were met: ${state}`);
      await reader.does('dmremap lost');
      await reader.does('dmremap remaps');
      await reader.does('umount /mnt && dmremap stop');
      expectEqual((await server.finish()).status, 0, 'status of the server');

      await reader.does('dmremap export /dev/sdY1');
      await reader.does('kpartx -a');
      await checkFileSystem(guest, 'ext4', '/dev/mapper/attic1');
      await guest.run(['mount', '/dev/mapper/attic1', '/mnt']);
      expectEqual(treeChecksum('/mnt'), checksum, 'the files without dm-remap');
      await guest.run(['umount', '/mnt']);
      await reader.types('kpartx -d /dev/mapper/attic && dmsetup remove attic');
    },
  },
});

/** Somebody who types what the README says. */
class Reader {
  private readonly guest: Guest;
  /** There is no udev here to make nodes. */
  private readonly environment = { PATH: installCommand(), DM_DISABLE_UDEV: '1' };

  constructor(guest: Guest) {
    this.guest = guest;
  }

  does(beginning: string, further = ''): Promise<CommandEnd> {
    return this.types(readmeCommand(beginning, NAMES) + further);
  }

  types(command: string): Promise<CommandEnd> {
    const { environment } = this;
    return this.guest.run(['sh', '-c', command], { environment, timeoutSeconds: 120 });
  }

  begins(beginning: string): Background {
    return this.guest.start(['sh', '-c', `exec ${readmeCommand(beginning, NAMES)}`], this.environment);
  }
}

/** A disk with a partition, files on it, and bad sectors in the second half; and a disk with room for the spare. */
async function failingDisk(guest: Guest): Promise<{ checksum: string }> {
  const disk = await NullBlock.create(guest, 'sdx', { sizeMiB: 96 });
  const other = await NullBlock.create(guest, 'sdy', { sizeMiB: 16 });
  for (const { path } of [disk, other]) await partition(guest, path);
  await makeFileSystem(guest, 'ext4', '/dev/sdx1', ['-b', '4096']);
  mkdirSync('/mnt', { recursive: true });
  await guest.run(['mount', '/dev/sdx1', '/mnt']);
  makeTree('/mnt/before', { seed: 1, fileCount: 100, maxFileBytes: 50_000 });
  const checksum = treeChecksum('/mnt/before');
  await guest.run(['umount', '/mnt']);
  const written = readFileSync(disk.path);
  for (const sector of BAD_SECTORS) {
    // All of its block: behind the end of a file there are zeroes, and the file is read with them.
    const block = (sector - (sector % 8)) * 512;
    if (isBlank(written.subarray(block, block + 4096))) disk.addBadSectors(sector, sector);
  }
  return { checksum };
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

async function partition(guest: Guest, path: string): Promise<void> {
  await guest.run(['sfdisk', '--quiet', path], { input: 'label: gpt\nstart=2048, type=linux\n' });
}

const NAMES = { '/dev/sdX': '/dev/sdx', '/dev/sdY': '/dev/sdy' };
/** Those of them that hold nothing go bad: what is lost before dm-remap comes is not what this is about. */
const BAD_SECTORS = Array.from({ length: 260 }, (_, index) => 60_000 + index * 503);
