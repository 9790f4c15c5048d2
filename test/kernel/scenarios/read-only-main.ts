import { ramDisks } from '../lab/guest/brd.js';
import { linearTable, MappedDevice } from '../lab/guest/device-mapper.js';
import { dmremap, serve } from '../lab/guest/dmremap.js';
import { expect, expectEqual } from '../lab/guest/expect.js';
import { FileLoad } from '../lab/guest/file-load.js';
import { checkFileSystem, makeFileSystem, mount, unmount } from '../lab/guest/file-system.js';
import { flakeyTable, wholeDevice } from '../lab/guest/flakey-table.js';
import type { Guest } from '../lab/guest/guest.js';
import { PatternFile } from '../lab/guest/pattern-file.js';
import { expectNoUblkDevice } from '../lab/guest/ublk-left-overs.js';
import { until } from '../lab/guest/until.js';
import { VerifyingLoad } from '../lab/guest/verifying-load.js';
import { scenario } from '../lab/scenario.js';

export default scenario({
  name: 'read-only-main',
  about:
    'A main device stops taking writes under a raw load and a mounted ext4, as a worn SSD does: reads go on, writes wait, and the set moves to another disk without an I/O error.',
  kernels: ['6.12'],
  timeoutSeconds: 600,
  async host(lab) {
    const machine = await lab.boot();
    await machine.run('main', { seed: lab.seed });
    await machine.powerOff();
  },
  steps: {
    async main(guest, { seed }: { seed: number }) {
      const [disk, spare, other] = await ramDisks(guest, 3, DISK_MIB);
      const main = await MappedDevice.create(guest, 'main', linearTable(disk!));
      await dmremap(guest, ['format', '--main', main.path, '--spare', spare!, '--yes']);
      const further = ['--on-gone', 'hold'];
      const served = await serve(guest, { main: main.path, spares: [spare!], frontend: 'ublk', further });
      const loads = await startLoads(guest, served.path, seed);
      await guest.modprobe('dm_flakey');
      await main.replaceTable(flakeyTable(disk!, [wholeDevice(disk!)], 'error_writes'));
      await until('writes are given up', () => served.program.stderr.includes('breakerOpened'), 120);
      const quiet = await PatternFile.open(served.path);
      await quiet.expect(QUIET_SECTOR, PART_SECTORS, 1);
      await quiet.close();
      const before = await statusOf(guest, served.path);
      expectEqual(
        before.health.findings.map(({ id }) => id),
        ['takesNoWrites'],
        'what the status says',
      );
      await dmremap(guest, ['evacuate', served.path, other!, '--yes'], { timeoutSeconds: 300 });
      expect(!served.program.hasEnded, 'the process stays');
      await loads.stop();
      const after = await statusOf(guest, served.path);
      expectEqual(after.main.path, other, 'the main device');
      expectEqual(after.remappedUnits, 0, 'units on spares');
      expectEqual(after.health.state, 'healthy', 'how it is');
      await served.stop();
      expectNoUblkDevice();
    },
  },
});

interface Status {
  readonly main: { readonly path: string };
  readonly remappedUnits: number;
  readonly health: { readonly state: string; readonly findings: readonly { readonly id: string }[] };
}

async function statusOf(guest: Guest, path: string): Promise<Status> {
  const { stdout } = await dmremap(guest, ['status', path, '--json']);
  return JSON.parse(stdout).sets[0];
}

/** A raw load over the second quarter, and ext4 on a device-mapper device over the second half. */
async function startLoads(guest: Guest, path: string, seed: number): Promise<{ stop(): Promise<void> }> {
  const whole = await PatternFile.open(path);
  await whole.writeAll(0, SECTORS, 1);
  await whole.close();
  const files = await MappedDevice.create(
    guest,
    'files',
    `0 ${2 * PART_SECTORS} linear ${path} ${2 * PART_SECTORS}\n`,
  );
  await makeFileSystem(guest, 'ext4', files.path);
  const directory = await mount(guest, 'ext4', files.path);
  const fileLoad = new FileLoad(directory, seed);
  const region = { path, firstSector: PART_SECTORS, sectorCount: PART_SECTORS };
  const raw = await VerifyingLoad.start(region, seed + 1, PAUSE_MS);
  return {
    async stop() {
      await raw.stop();
      await fileLoad.stop();
      await unmount(guest, directory);
      await checkFileSystem(guest, 'ext4', files.path);
      await mount(guest, 'ext4', files.path);
      await fileLoad.check();
      await unmount(guest, directory);
      await files.remove();
    },
  };
}

const DISK_MIB = 32;
const SECTORS = DISK_MIB * 2_048;
const PART_SECTORS = SECTORS / 4;
/** Nobody writes to the first quarter. */
const QUIET_SECTOR = 0;
/** While nobody pauses, a command of a second takes a minute: emulated processors are slow. */
const PAUSE_MS = 100;
