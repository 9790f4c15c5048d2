import type { RemapReport } from '../../../src/library/offline-types.js';
import { ramDisks } from '../lab/guest/brd.js';
import { logEvents, ofKind, waitForEvents } from '../lab/guest/device-log.js';
import { linearTable, MappedDevice } from '../lab/guest/device-mapper.js';
import type { ServeOptions } from '../lab/guest/dmremap.js';
import { errorCode } from '../lab/guest/error-code.js';
import { expect, expectEqual } from '../lab/guest/expect.js';
import { flakeyTable, intervalTable, wholeDevice } from '../lab/guest/flakey-table.js';
import type { Guest } from '../lab/guest/guest.js';
import type { PatternFile } from '../lab/guest/pattern-file.js';
import { describeRemaps, formatSet, remapsOf } from '../lab/guest/set-metadata.js';
import { until } from '../lab/guest/until.js';
import { useDevice } from '../lab/guest/use-device.js';
import { UNIT_SECTORS, WriteLedger } from '../lab/guest/write-ledger.js';
import { type Frontend, scenario } from '../lab/scenario.js';

export default scenario({
  name: 'flakey',
  about:
    'A disk that works now and then, one that refuses writes in places or everywhere, and one that lies (docs/limits.md): spares are not burnt, nothing acknowledged by an honest disk is lost, a lying one does no harm beyond its lies.',
  kernels: ['6.12'],
  notInSuite: 'takes 4 minutes; the suite shall end in 30',
  frontends: ['ublk', 'nbd'],
  processors: 1,
  timeoutSeconds: 420,
  steps: {
    async main(guest, { frontend }: { frontend: Frontend }) {
      const [ram, spare] = await ramDisks(guest, 2, 8);
      const disk = await MappedDevice.create(guest, 'main', linearTable(ram!));
      const further = ['--on-gone', 'fail'];
      const set = { main: disk.path, spares: [spare!], frontend, further };
      await formatSet(set);
      const movedBefore = await intervals(guest, disk, ram!, set);
      const moves = await refusedWrites(guest, disk, ram!, set);
      const remaps = describeRemaps(await lies(guest, disk, ram!, set));
      expectEqual(remaps.slice(movedBefore), moves, 'the remaps in the end');
    },
  },
});

/**
 * Two seconds up, one down: in another rhythm than the tries of the open breaker, every two seconds. Answers with the number of units that moved: one may, where the disk came back between a failed
 * write and the proof of life.
 */
async function intervals(guest: Guest, disk: MappedDevice, ram: string, set: ServeOptions): Promise<number> {
  const events = await useDevice(guest, set, async (file, { program }) => {
    await file.writeAll(0, DATA_SECTORS, 1);
    const ledger = new WriteLedger();
    await disk.replaceTable(intervalTable(ram, 2, 1));
    let generation = 2;
    for (; logEvents(program, 'breakerClosed').length < 2; generation++) {
      expect(generation < 2_000, 'the breaker closes when the disk is back');
      await pass(guest, file, ledger, generation);
    }
    await disk.replaceTable(linearTable(ram));
    await untilWritable(file);
    await ledger.check(file);
    await file.expect(OTHER_SECTOR, DATA_SECTORS - OTHER_SECTOR, 1);
    guest.say(
      `${generation} passes, ${ledger.failedWriteCount} writes failed: ${[...ledger.errors.keys()].join(' ')}`,
    );
    expectEqual([...ledger.errors.keys()], ['EIO'], 'errors that the application saw');
  });
  const moved = ofKind(events, 'remapped').length;
  const trips = ofKind(events, 'breakerOpened').length;
  guest.say(`the breaker opened ${trips} times, ${moved} units moved`);
  expect(moved <= 2 * trips, `spares used up: ${moved} units in ${trips} interruptions`);
  expectEqual(ofKind(events, 'lost').length, 0, 'losses: the disk has kept everything');
  return moved;
}

/** Writes and reads in turn, slower where the disk is down; flushes now and then. */
async function pass(guest: Guest, file: PatternFile, ledger: WriteLedger, generation: number): Promise<void> {
  for (let unit = 0; unit < 8; unit++) {
    const code = await ledger.write(file, unit * 5, generation);
    await file.readError(OTHER_SECTOR + unit * UNIT_SECTORS, UNIT_SECTORS);
    if (code !== null) await guest.sleep(100);
  }
  await errorCode(file.flush());
}

/** `error_writes`: in three places, which move; then everywhere, and nothing does. Answers with what moved. */
async function refusedWrites(
  guest: Guest,
  disk: MappedDevice,
  ram: string,
  set: ServeOptions,
): Promise<string[]> {
  const bad = [
    { first: 6_000, count: 3 },
    { first: 6_022, count: 4 },
    { first: 6_100, count: 8 },
  ];
  const events = await useDevice(guest, set, async (file, { program }) => {
    await disk.replaceTable(flakeyTable(ram, bad, 'error_writes'));
    // One request across everything; and single sectors, whose neighbours are read from the disk.
    await file.writeAll(5_990, 40, 2);
    for (const lba of [6_101, 6_105]) await file.write(lba, 1, 2);
    await file.flush();
    const isNew = (lba: number): boolean => (lba >= 5_990 && lba < 6_030) || lba === 6_101 || lba === 6_105;
    await file.expect(OTHER_SECTOR, DATA_SECTORS - OTHER_SECTOR, (lba) => (isNew(lba) ? 2 : 1));
    expectEqual(logEvents(program, 'breakerOpened').length, 0, 'the breaker, with a few bad places');

    await disk.replaceTable(flakeyTable(ram, [wholeDevice(ram)], 'error_writes'));
    expectEqual(await errorCode(file.write(4_000, 8, 3)), 'EIO', 'a write to a disk that takes none');
    await waitForEvents(program, 'breakerOpened', 1);
    await file.write(6_104, 1, 3);
    await disk.replaceTable(linearTable(ram));
    await untilWritable(file);
    await file.expect(OTHER_SECTOR, DATA_SECTORS - OTHER_SECTOR, (lba) => {
      if (lba === 6_104) return 3;
      return lba >= 4_000 && lba < 4_008 ? null : isNew(lba) ? 2 : 1;
    });
  });
  expectEqual(ofKind(events, 'remapped').length, 5, 'moves');
  return [6_000, 6_016, 6_024, 6_096, 6_104].map((sector) => `${sector}: writeError`);
}

/** What a disk says is what its users get: no error, no move, no byte changed by us. See docs/limits.md. */
async function lies(
  guest: Guest,
  disk: MappedDevice,
  ram: string,
  set: ServeOptions,
): Promise<readonly RemapReport[]> {
  const events = await useDevice(guest, set, async (file) => {
    await disk.replaceTable(flakeyTable(ram, [{ first: 5_000, count: 8 }], 'drop_writes'));
    await file.write(4_992, 24, 4);
    await file.flush();
    await file.expect(4_992, 24, (lba) => (lba >= 5_000 && lba < 5_008 ? 1 : 4));

    for (const direction of ['r', 'w']) {
      await disk.replaceTable(
        flakeyTable(ram, [{ first: 5_200, count: 8 }], `corrupt_bio_byte 600 ${direction} 85 0`),
      );
      await file.write(5_192, 24, 5);
      const contents = await file.read(5_192, 24);
      const wrong = contents.flatMap(({ kind }, index) => (kind === 'pattern' ? [] : [5_192 + index]));
      expectEqual(wrong, [5_201], `sectors with a spoilt byte (${direction})`);
    }
    await disk.replaceTable(linearTable(ram));
    await file.write(5_200, 8, 5);
    await file.expect(5_192, 24, 5);
  });
  expectEqual(
    events.filter(({ level }) => level === 'warn' || level === 'error'),
    [],
    'warnings and errors in the log',
  );
  return remapsOf(set.spares);
}

/** The breaker tries the disk again every two seconds. */
function untilWritable(file: PatternFile): Promise<void> {
  return until(
    'the disk is used again',
    async () => (await errorCode(file.write(OTHER_SECTOR, UNIT_SECTORS, 1))) === null,
  );
}

const DATA_SECTORS = 8_192;
/** Below it only the ledger writes. */
const OTHER_SECTOR = 1_024;
