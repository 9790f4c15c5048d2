import { ramDisks } from '../lab/guest/brd.js';
import { dmremap, serve } from '../lab/guest/dmremap.js';
import { expectEqual } from '../lab/guest/expect.js';
import type { Guest } from '../lab/guest/guest.js';
import { PatternFile } from '../lab/guest/pattern-file.js';
import { ScsiDebug } from '../lab/guest/scsi-debug.js';
import { expectNoUblkDevice } from '../lab/guest/ublk-left-overs.js';
import { until } from '../lab/guest/until.js';
import { scenario } from '../lab/scenario.js';

export default scenario({
  name: 'read-only-at-start',
  about:
    'A main device that the kernel calls read-only before the set is started: it can be read, writes wait, and the set moves to another disk.',
  kernels: ['6.12'],
  notInSuite: 'takes 2 minutes; the suite shall end in 30',
  timeoutSeconds: 300,
  steps: {
    /** Opening it for writing is refused (EROFS). */
    async writeProtectedDrive(guest) {
      const drive = await ScsiDebug.create(guest, { sizeMiB: DISK_MIB });
      const [spare, other] = await ramDisks(guest, 2, DISK_MIB);
      await moves(guest, { main: drive.path, spare: spare!, other: other! }, async () => {
        guest.write('/sys/module/scsi_debug/parameters/wp', '1');
        guest.write(`/sys/bus/scsi/devices/${drive.address}/rescan`, '1');
      });
    },
    /** Opening it for writing is not refused, writing is (EPERM). */
    async readOnlyFlag(guest) {
      const [main, spare, other] = await ramDisks(guest, 3, DISK_MIB);
      await moves(guest, { main: main!, spare: spare!, other: other! }, async () => {
        await guest.run(['blockdev', '--setro', main!]);
      });
    },
  },
  async host(lab) {
    const machine = await lab.boot();
    await machine.run('writeProtectedDrive');
    await machine.run('readOnlyFlag');
    await machine.powerOff();
  },
});

interface Disks {
  readonly main: string;
  readonly spare: string;
  readonly other: string;
}

async function moves(
  guest: Guest,
  { main, spare, other }: Disks,
  protect: () => Promise<void>,
): Promise<void> {
  await dmremap(guest, ['format', '--main', main, '--spare', spare, '--yes']);
  const set = { main, spares: [spare], frontend: 'ublk' } as const;
  const before = await serve(guest, set);
  const filling = await PatternFile.open(before.path);
  await filling.writeAll(0, SECTORS, 1);
  await filling.close();
  await dmremap(guest, ['remap', 'add', before.path, String(MOVED_SECTOR)]);
  await before.stop();
  await protect();
  expectEqual((await guest.run(['blockdev', '--getro', main])).stdout.trim(), '1', 'read-only');

  const served = await serve(guest, { ...set, further: ['--on-gone', 'hold'] });
  expectEqual(await findings(guest, served.path), ['takesNoWrites', 'remapped'], 'what the status says');
  const file = await PatternFile.open(served.path);
  await file.expect(0, SECTORS, 1);
  await file.write(MOVED_SECTOR, 1, 2);
  const waiting = file.write(WRITTEN_SECTOR, SECTORS_AT_ONCE, 2);
  await until('the write waits', async () => (await heldRequests(guest, served.path)) === 1);
  await dmremap(guest, ['evacuate', served.path, other, '--yes', '--force'], { timeoutSeconds: 200 });
  await waiting;
  await file.expect(0, SECTORS, newest);
  await file.close();
  expectEqual(await findings(guest, served.path), [], 'what the status says on the other disk');
  await served.stop();
  expectNoUblkDevice();
  const disk = await PatternFile.open(other);
  await disk.expect(0, SECTORS, newest);
  await disk.close();
}

interface Status {
  readonly health: { readonly findings: readonly { readonly id: string }[] };
  readonly gone: readonly { readonly heldRequests: number }[];
}

async function statusOf(guest: Guest, path: string): Promise<Status> {
  const { stdout } = await dmremap(guest, ['status', path, '--json']);
  return JSON.parse(stdout).sets[0];
}

async function findings(guest: Guest, path: string): Promise<string[]> {
  return (await statusOf(guest, path)).health.findings.map(({ id }) => id);
}

async function heldRequests(guest: Guest, path: string): Promise<number | undefined> {
  return (await statusOf(guest, path)).gone[0]?.heldRequests;
}

function newest(sector: number): number {
  const isWritten = sector >= WRITTEN_SECTOR && sector < WRITTEN_SECTOR + SECTORS_AT_ONCE;
  return isWritten || sector === MOVED_SECTOR ? 2 : 1;
}

const DISK_MIB = 16;
const SECTORS = DISK_MIB * 2_048;
/** Of a unit that lives on the spare. */
const MOVED_SECTOR = 8_000;
const WRITTEN_SECTOR = 16_000;
const SECTORS_AT_ONCE = 64;
