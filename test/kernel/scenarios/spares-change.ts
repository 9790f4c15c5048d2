import { ramDisks } from '../lab/guest/brd.js';
import { MappedDevice, tableWithBadSectors } from '../lab/guest/device-mapper.js';
import { dmremap, serve } from '../lab/guest/dmremap.js';
import { expect, expectEqual } from '../lab/guest/expect.js';
import { FioLoad } from '../lab/guest/fio-load.js';
import type { Guest } from '../lab/guest/guest.js';
import { PatternFile } from '../lab/guest/pattern-file.js';
import { expectNoUblkDevice } from '../lab/guest/ublk-left-overs.js';
import { VerifyingLoad } from '../lab/guest/verifying-load.js';
import { scenario } from '../lab/scenario.js';

export default scenario({
  name: 'spares-change',
  about:
    'Two spares are added to a set under load, and the first one is emptied and taken out: no I/O error, no wrong byte, the process stays.',
  kernels: ['6.12', '6.18'],
  notInSuite: { '6.18': 'evacuate hands over in the same way, with zero copy' },
  timeoutSeconds: 600,
  async host(lab) {
    const machine = await lab.boot();
    await machine.run('main', { seed: lab.seed });
    await machine.powerOff();
  },
  steps: {
    async main(guest, { seed }: { seed: number }) {
      const [disk, spare, ...further] = await ramDisks(guest, 4, DISK_MIB);
      const badSectors = Array.from({ length: 190 }, (_, index) => 100 + index * 165);
      const main = await MappedDevice.create(guest, 'main', tableWithBadSectors(disk!, badSectors));
      const small = await MappedDevice.create(guest, 'small', `0 ${SMALL_SECTORS} linear ${spare} 0\n`);
      await dmremap(guest, ['format', '--main', main.path, '--spare', small.path, '--yes']);
      const options = ['--queues', '2', '--on-gone', 'fail'];
      const served = await serve(guest, {
        main: main.path,
        spares: [small.path],
        frontend: 'ublk',
        further: options,
      });
      const loads = await startLoads(guest, served.path, seed);
      for (const path of further) {
        await dmremap(guest, ['spare', 'add', path, '--set', served.path, '--yes']);
        expect(!served.program.hasEnded, 'the process stays');
      }
      // More than the first spare has room for.
      await dmremap(guest, ['remap', 'add', served.path, '0', '--count', '4096']);
      await dmremap(guest, ['spare', 'remove', '0', '--set', served.path]);
      await loads.stop();
      const { stdout } = await dmremap(guest, ['status', served.path, '--json']);
      const [set] = JSON.parse(stdout).sets;
      guest.say(`${set.remappedUnits} units on spares`);
      expectEqual(set.processId, served.program.pid, 'the process');
      expectEqual(
        set.spares.map((one: { path: string }) => one.path),
        further,
        'spares at the end',
      );
      expect(set.remappedUnits > badSectors.length, 'more units than bad sectors');
      const { stdout: map } = await dmremap(guest, ['lost', served.path, '--json']);
      expectEqual(JSON.parse(map).lostSectors, [], 'lost sectors');
      await served.stop();
      expectNoUblkDevice();
    },
  },
});

/** fio over the first half, two raw loads over the second; the bad sectors are everywhere. */
async function startLoads(guest: Guest, path: string, seed: number): Promise<{ stop(): Promise<void> }> {
  const file = await PatternFile.open(path);
  await file.writeAll(0, (DISK_MIB / 2) * SECTORS_PER_MIB, 0);
  await file.close();
  const part = (DISK_MIB / 4) * SECTORS_PER_MIB;
  const fio = new FioLoad(guest, { path, firstSector: 0, sectorCount: 2 * part }, seed, FIO_PAUSES);
  const raw = await Promise.all(
    [2, 3].map((index) =>
      VerifyingLoad.start({ path, firstSector: index * part, sectorCount: part }, seed + index, PAUSE_MS),
    ),
  );
  return {
    async stop() {
      await fio.stop();
      for (const load of raw) await load.stop();
      const rest = await PatternFile.open(path);
      await rest.writeAll(0, DISK_MIB * SECTORS_PER_MIB, 1);
      await rest.expect(0, DISK_MIB * SECTORS_PER_MIB, 1);
      await rest.close();
    },
  };
}

const DISK_MIB = 16;
const SECTORS_PER_MIB = 2_048;
/** 1 MiB has room for 200 units beside the metadata. */
const SMALL_SECTORS = 2_048;
/** While nobody pauses, a command of a second takes a minute: emulated processors are slow. A third of the time is enough. */
const PAUSE_MS = 100;
const FIO_PAUSES = { thinktime: 500_000, thinktime_blocks: 16 };
