import { readFileSync } from 'node:fs';
import { ramDisks } from '../lab/guest/brd.js';
import { ofKind } from '../lab/guest/device-log.js';
import type { ServeOptions } from '../lab/guest/dmremap.js';
import { errorCode } from '../lab/guest/error-code.js';
import { expectEqual } from '../lab/guest/expect.js';
import type { Guest } from '../lab/guest/guest.js';
import { PatternFile } from '../lab/guest/pattern-file.js';
import { ScsiDebug } from '../lab/guest/scsi-debug.js';
import { describeRemaps, formatSet, remapsOf } from '../lab/guest/set-metadata.js';
import { useDevice } from '../lab/guest/use-device.js';
import { type Frontend, scenario } from '../lab/scenario.js';

export default scenario({
  name: 'medium-errors',
  about:
    'Medium errors of a SCSI disk: only lost blocks fail, also after a restart, until they are written; what can be read is saved; errors that pass leave no remap; a failed flush is a failed fsync, once.',
  kernels: ['6.12'],
  frontends: ['ublk', 'nbd'],
  processors: 1,
  timeoutSeconds: 420,
  steps: {
    async main(guest, { frontend }: { frontend: Frontend }) {
      const disk = await ScsiDebug.create(guest, { sizeMiB: 8 });
      const [spare] = await ramDisks(guest, 1, 2);
      const set = { main: disk.path, spares: [spare!], frontend };
      await formatSet(set);
      await lostBlocks(guest, disk, set);
      await afterRestart(guest, disk, set);
      await healed(guest, disk, set);
      expectEqual(
        describeRemaps(await remapsOf(set.spares)),
        ['1000: readError', '2000: recoveredRead', '3000: writeError'],
        'the remaps in the end',
      );
    },
  },
});

/** Two bad blocks in one unit: they are lost, and nothing else is, whatever the size of the read. */
async function lostBlocks(guest: Guest, disk: ScsiDebug, set: ServeOptions): Promise<void> {
  const events = await useDevice(guest, set, async (file) => {
    await file.writeAll(0, DATA_SECTORS, 1);
    disk.mediumErrors(1003, 2);
    const raw = await PatternFile.open(disk.path);
    expectEqual(await raw.readError(1000, 8), 'ENODATA', 'the disk, all of the unit');
    await raw.close();
    expectEqual(await file.readError(960, 128), 'EIO', 'a read across the bad blocks');
    expectEqual(await failingSectors(file, 992, 24), [1003, 1004], 'blocks that fail');
    disk.mediumErrors(0, 0);
    const readsBefore = completedReads(disk);
    expectEqual(
      await failingSectors(file, 1003, 2),
      [1003, 1004],
      'lost blocks that the disk could read again',
    );
    expectEqual(completedReads(disk), readsBefore, 'reads that reached the disk for lost blocks');
    await file.expect(0, 1003, 1);
    await file.expect(1005, DATA_SECTORS - 1005, 1);
  });
  expectEqual(
    ofKind(events, 'lost').map(({ mainSector, lostBlocks }) => ({ mainSector, lostBlocks })),
    [{ mainSector: 1000, lostBlocks: 2 }],
    'what the log calls lost',
  );
}

/** The lost blocks are remembered. One is written; a flush fails. */
async function afterRestart(guest: Guest, disk: ScsiDebug, set: ServeOptions): Promise<void> {
  const events = await useDevice(guest, set, async (file) => {
    expectEqual(await failingSectors(file, 1000, 8), [1003, 1004], 'lost blocks after a restart');
    await file.write(1003, 1, 2);
    expectEqual(await failingSectors(file, 1000, 8), [1004], 'lost blocks after one was written');
    await file.expect(1000, 4, (lba) => (lba === 1003 ? 2 : 1));
    await file.write(5000, 8, 2);
    disk.failCommands(SYNCHRONIZE_CACHE, 1, HARDWARE_ERROR);
    expectEqual(await errorCode(file.flush()), 'EIO', 'fsync while the cache of the disk cannot be flushed');
    expectEqual(await errorCode(file.flush()), null, 'the next fsync');
  });
  expectEqual(ofKind(events, 'flushFailed').length, 1, 'failed flushes in the log');
}

/** Writing gives lost blocks contents again; errors that pass are nothing to the application. */
async function healed(guest: Guest, disk: ScsiDebug, set: ServeOptions): Promise<void> {
  const events = await useDevice(guest, set, async (file) => {
    expectEqual(await failingSectors(file, 1000, 8), [1004], 'lost blocks after another restart');
    await file.write(1002, 4, 3);
    await file.expect(1000, 8, (lba) => (lba >= 1002 && lba < 1006 ? 3 : 1));
    disk.failCommands(READ, 1, MEDIUM_ERROR);
    await file.expect(1992, 8, 1);
    disk.failCommands(READ, 3, HARDWARE_ERROR);
    await file.expect(1984, 8, 1);
    disk.failCommands(READ, 3, MEDIUM_ERROR);
    await file.expect(2000, 8, 1);
    disk.failCommands(WRITE, 1, MEDIUM_ERROR);
    await file.write(2992, 8, 2);
    disk.failCommands(WRITE, 3, MEDIUM_ERROR);
    await file.write(3002, 3, 2);
    await file.expect(2984, 40, (lba) =>
      (lba >= 2992 && lba < 3000) || (lba >= 3002 && lba < 3005) ? 2 : 1,
    );
    await file.flush();
  });
  expectEqual(ofKind(events, 'lost').length, 0, 'losses in the log');
  expectEqual(ofKind(events, 'transientError').length, 1, 'transient errors in the log');
}

/** Reads single sectors. */
async function failingSectors(file: PatternFile, first: number, count: number): Promise<number[]> {
  const failing: number[] = [];
  for (let lba = first; lba < first + count; lba++) {
    const code = await file.readError(lba, 1);
    if (code !== null) expectEqual(code, 'EIO', `reading sector ${lba}`);
    if (code !== null) failing.push(lba);
  }
  return failing;
}

/** The first number of Documentation/block/stat.rst. */
function completedReads(disk: ScsiDebug): number {
  const stat = readFileSync(disk.path.replace('/dev/', '/sys/block/').concat('/stat'), 'utf8');
  return Number(stat.trim().split(/\s+/)[0]);
}

const DATA_SECTORS = 6144;
const READ = 0x28;
const WRITE = 0x2a;
const SYNCHRONIZE_CACHE = 0x35;
const MEDIUM_ERROR = { key: 3, asc: 0x11, ascq: 0 };
const HARDWARE_ERROR = { key: 4, asc: 0x44, ascq: 0 };
