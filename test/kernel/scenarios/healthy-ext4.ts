import { diskPath } from '../lab/guest/disks.js';
import { serve } from '../lab/guest/dmremap.js';
import { expectEqual } from '../lab/guest/expect.js';
import { checkFileSystem, makeFileSystem, mount, unmount } from '../lab/guest/file-system.js';
import { makeTree, treeChecksum } from '../lab/guest/file-tree.js';
import { formatSet } from '../lab/guest/set-metadata.js';
import { scenario } from '../lab/scenario.js';

export default scenario({
  name: 'healthy-ext4',
  about:
    'A healthy protected disk carries ext4: files survive remounting and a restart of the server, fsck is content.',
  kernels: ['6.12'],
  notInSuite: 'takes 3 minutes; the suite shall end in 30',
  frontends: ['nbd', 'ublk'],
  disks: { main: { sizeMiB: 96 }, spare: { sizeMiB: 16 } },
  steps: {
    async main(guest, { frontend }: { frontend: 'nbd' | 'ublk' }) {
      const devices = { main: diskPath('main'), spares: [diskPath('spare')] };
      makeTree('/run/lab/tree', { seed: 1, fileCount: 300, maxFileBytes: 100_000 });
      const checksum = treeChecksum('/run/lab/tree');
      await formatSet(devices);

      const served = await serve(guest, { ...devices, frontend });
      await makeFileSystem(guest, 'ext4', served.path);
      const directory = await mount(guest, 'ext4', served.path);
      await guest.run(['cp', '-a', '/run/lab/tree', `${directory}/tree`]);
      expectEqual(treeChecksum(`${directory}/tree`), checksum, 'checksum after copying');
      await unmount(guest, directory);
      await mount(guest, 'ext4', served.path);
      expectEqual(treeChecksum(`${directory}/tree`), checksum, 'checksum after mounting again');
      await unmount(guest, directory);
      await served.stop();

      const again = await serve(guest, { ...devices, frontend });
      await checkFileSystem(guest, 'ext4', again.path);
      await mount(guest, 'ext4', again.path);
      expectEqual(treeChecksum(`${directory}/tree`), checksum, 'checksum after a restart');
    },
  },
});
