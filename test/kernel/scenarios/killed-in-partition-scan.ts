import { existsSync } from 'node:fs';
import { ramDisks } from '../lab/guest/brd.js';
import { dmremap, startServer } from '../lab/guest/dmremap.js';
import { killWhen, worksAndGoes } from '../lab/guest/short-lived-server.js';
import { scenario } from '../lab/scenario.js';

/**
 * Before Linux 6.18 START_DEV reads the partition table while it holds the device's mutex. A server that dies then
 * leaves a read that waits for the next server, which the mutex keeps out: nothing but a reboot removes the device.
 * That was seen on 6.12 and can't be cured from outside the driver (docs/ublk.md), hence 6.18 only.
 */
export default scenario({
  name: 'killed-in-partition-scan',
  about: 'A server dies while the kernel looks for partitions on its new block device: the next one works.',
  kernels: ['6.18'],
  notInSuite: 'takes a minute; the suite shall end in 30',
  steps: {
    async main(guest) {
      const [main, spare] = await ramDisks(guest, 2, 16);
      await dmremap(guest, ['format', '--main', main!, '--spare', spare!, '--yes']);
      const options = { main: main!, spares: [spare!], frontend: 'ublk' } as const;
      await guest.modprobe('ublk_drv');
      await killWhen(startServer(guest, options), () => existsSync('/dev/ublkb0'));
      await worksAndGoes(guest, options);
    },
  },
});
