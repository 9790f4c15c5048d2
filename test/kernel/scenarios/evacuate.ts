import { ramDisks } from '../lab/guest/brd.js';
import { linearTable, MappedDevice, tableWithBadSectors } from '../lab/guest/device-mapper.js';
import { dmremap, type ServeOptions, serve } from '../lab/guest/dmremap.js';
import { expect, expectEqual } from '../lab/guest/expect.js';
import { FileLoad } from '../lab/guest/file-load.js';
import { checkFileSystem, makeFileSystem, mount, unmount } from '../lab/guest/file-system.js';
import { FioLoad } from '../lab/guest/fio-load.js';
import type { Guest } from '../lab/guest/guest.js';
import { PatternFile } from '../lab/guest/pattern-file.js';
import { expectNoUblkDevice } from '../lab/guest/ublk-left-overs.js';
import { until } from '../lab/guest/until.js';
import { VerifyingLoad } from '../lab/guest/verifying-load.js';
import { scenario } from '../lab/scenario.js';

export default scenario({
  name: 'evacuate',
  about:
    'A set under fio, a raw load and a mounted ext4 moves to another disk, and the daemon is killed in the midst: no I/O error, no wrong byte, nothing is unmounted.',
  kernels: ['6.12', '6.18'],
  timeoutSeconds: 900,
  async host(lab) {
    const machine = await lab.boot();
    await machine.run('main', { seed: lab.seed });
    await machine.powerOff();
  },
  steps: {
    async main(guest, { seed }: { seed: number }) {
      const [disk, spare, other] = await ramDisks(guest, 3, DISK_MIB);
      const badSectors = Array.from({ length: 190 }, (_, index) => 100 + index * 165);
      const main = await MappedDevice.create(guest, 'main', tableWithBadSectors(disk!, badSectors));
      await guest.modprobe('dm_delay');
      const target = await MappedDevice.create(guest, 'target', slowTable(other!));
      await dmremap(guest, ['format', '--main', main.path, '--spare', spare!, '--yes']);
      const further = ['--queues', '2', '--on-gone', 'fail'];
      const options: ServeOptions = { main: main.path, spares: [spare!], frontend: 'ublk', further };
      const first = await serve(guest, options);
      const loads = await startLoads(guest, first.path, seed);
      const command = dmremap(guest, ['evacuate', first.path, target.path, '--yes'], { timeoutSeconds: 300 });
      const isCopying = (): boolean => first.program.stderr.includes('evacuationStarted');
      await Promise.race([until('something is copied', isCopying, 120), command]);
      await guest.sleep(DELAY_MS);
      await first.crash();
      const served = await serve(guest, options);
      expectEqual(served.path, first.path, 'where it came back');
      await target.replaceTable(linearTable(other!));
      await command;
      expect(!served.program.hasEnded, 'the process stays');
      // Nobody needs the old disk any more.
      await main.replaceTable(`0 ${SECTORS} error\n`);
      await loads.stop();
      const { stdout } = await dmremap(guest, ['status', served.path, '--json']);
      const [set] = JSON.parse(stdout).sets;
      expectEqual(set.processId, served.program.pid, 'the process');
      expectEqual(set.main.path, target.path, 'the main device');
      expectEqual(set.remappedUnits, 0, 'units on spares');
      await served.stop();
      expectNoUblkDevice();
    },
  },
});

/** fio, a raw load, and an ext4 on a device-mapper device over the second half. */
async function startLoads(guest: Guest, path: string, seed: number): Promise<{ stop(): Promise<void> }> {
  // A bad sector that was never written can't be read.
  const whole = await PatternFile.open(path);
  await whole.writeAll(0, SECTORS, 0);
  await whole.close();
  const half = SECTORS / 2;
  const files = await MappedDevice.create(guest, 'files', `0 ${half} linear ${path} ${half}\n`);
  await makeFileSystem(guest, 'ext4', files.path);
  const directory = await mount(guest, 'ext4', files.path);
  const fileLoad = new FileLoad(directory, seed);
  const part = half / 2;
  const fio = new FioLoad(guest, { path, firstSector: 0, sectorCount: part }, seed, FIO_PAUSES);
  const raw = await VerifyingLoad.start({ path, firstSector: part, sectorCount: part }, seed + 1, PAUSE_MS);
  return {
    async stop() {
      for (const load of [raw, fileLoad, fio]) await load.stop();
      guest.say(`operations: ${raw.operationCount} raw, ${fileLoad.operationCount} of files`);
      expect(Math.min(raw.operationCount, fileLoad.operationCount) > 10, 'the loads did something');
      await unmount(guest, directory);
      await checkFileSystem(guest, 'ext4', files.path);
      await mount(guest, 'ext4', files.path);
      await fileLoad.check();
      await unmount(guest, directory);
      await files.remove();
    },
  };
}

/** Writing there takes long: the copying is not over soon. */
function slowTable(device: string): string {
  return `0 ${SECTORS} delay ${device} 0 0 ${device} 0 ${DELAY_MS}\n`;
}

const DISK_MIB = 32;
const SECTORS = DISK_MIB * 2_048;
const DELAY_MS = 3_000;
/** While nobody pauses, a command of a second takes a minute: emulated processors are slow. */
const PAUSE_MS = 100;
const FIO_PAUSES = { thinktime: 500_000, thinktime_blocks: 16 };
