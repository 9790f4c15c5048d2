import { scenario } from '../lab/scenario.js';

export default scenario({
  name: 'boot',
  about: 'A machine boots, has its disks, and every kind of test device can be made.',
  kernels: ['6.12', '6.18'],
  disks: { main: { sizeMiB: 64 }, spare: { sizeMiB: 32, logicalBlockBytes: 4096, bus: 'scsi' } },
  steps: {
    async main(guest) {
      for (const module of ['ublk_drv', 'nbd', 'dm_mod', 'brd']) await guest.modprobe(module);
      guest.say((await guest.run(['sh', '-c', 'uname -a; lsblk; ls /dev/mapper /dev/ublk*'])).stdout);
    },
  },
});
