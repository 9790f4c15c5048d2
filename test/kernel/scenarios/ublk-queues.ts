import { readdirSync, readFileSync } from 'node:fs';
import { ramDisks } from '../lab/guest/brd.js';
import { MappedDevice, tableWithBadSectors } from '../lab/guest/device-mapper.js';
import { dmremap, serve } from '../lab/guest/dmremap.js';
import { expectEqual } from '../lab/guest/expect.js';
import { until } from '../lab/guest/until.js';
import { scenario } from '../lab/scenario.js';

export default scenario({
  name: 'ublk-queues',
  about:
    'Two queues, each with a thread of its own, serve one device: every processor verifies what it wrote over bad sectors, through kill -9 and a take-over.',
  kernels: ['6.12', '6.18'],
  memoryMiB: 1024,
  steps: {
    async main(guest) {
      const [ram, spare] = await ramDisks(guest, 2, 64);
      const bad = Array.from({ length: 200 }, (_, index) => 40 + index * 601);
      const main = await MappedDevice.create(guest, 'main', tableWithBadSectors(ram!, bad));
      await dmremap(guest, ['format', '--main', main.path, '--spare', spare!, '--yes']);
      const further = ['--queues', '2', '--depth', '32'];
      const options = { main: main.path, spares: [spare!], frontend: 'ublk', further } as const;
      const first = await serve(guest, options);
      expectEqual(readdirSync('/sys/block/ublkb0/mq').length, 2, 'hardware queues of the block device');
      const load = guest.start(fioArguments(first.path));
      await until('fio writes', () => completedWrites(first.path) > 100);
      await first.crash();
      const second = await serve(guest, options);
      expectEqual((await load.finish(120)).status, 0, `fio through a crash: ${load.stderr}${load.stdout}`);
      const later = guest.start(fioArguments(first.path));
      const third = await serve(guest, { ...options, further: [...further, '--take-over'] });
      expectEqual(
        (await later.finish(120)).status,
        0,
        `fio through a take-over: ${later.stderr}${later.stdout}`,
      );
      await second.handedOver();
      await third.stop();
      const { remaps } = JSON.parse((await dmremap(guest, ['inspect', spare!, '--json'])).stdout);
      // 24 MiB from 0 and from 32 MiB: 82 bad sectors each, each in a unit of its own.
      expectEqual(remaps.length, 164, 'moved units');
    },
  },
});

/** The fifth number of Documentation/block/stat.rst. */
function completedWrites(path: string): number {
  const stat = readFileSync(path.replace('/dev/', '/sys/block/').concat('/stat'), 'utf8');
  return Number(stat.trim().split(/\s+/)[4]);
}

/** One job for each processor, on its own half of the device; all of it is written, read back and compared. */
function fioArguments(path: string): string[] {
  return [
    ...['fio', '--name=verify', `--filename=${path}`, '--rw=randwrite', '--ioengine=libaio', '--direct=1'],
    ...['--iodepth=16', '--bsrange=512-64k', '--bs_unaligned=0', '--numjobs=2', '--cpus_allowed=0,1'],
    ...['--cpus_allowed_policy=split', '--size=24m', '--offset_increment=32m', '--verify=crc32c'],
    ...['--verify_fatal=1', '--do_verify=1', '--group_reporting'],
  ];
}
