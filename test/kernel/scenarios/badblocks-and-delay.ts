import { ramDisks } from '../lab/guest/brd.js';
import { ofKind } from '../lab/guest/device-log.js';
import { MappedDevice } from '../lab/guest/device-mapper.js';
import { expectEqual } from '../lab/guest/expect.js';
import type { Guest } from '../lab/guest/guest.js';
import { NullBlock } from '../lab/guest/null-block.js';
import { PatternFile } from '../lab/guest/pattern-file.js';
import { describeRemaps, formatSet, remapsOf } from '../lab/guest/set-metadata.js';
import { until } from '../lab/guest/until.js';
import { useDevice } from '../lab/guest/use-device.js';
import { type Frontend, scenario } from '../lab/scenario.js';

export default scenario({
  name: 'badblocks-and-delay',
  about:
    'Bad blocks of null_blk, 512 and 4096 bytes, that come and go under a device in use; a main device and a spare that are slow (dm-delay) beside I/O to places that are not.',
  kernels: ['6.12', '6.18'],
  notInSuite: 'takes 4 minutes; the suite shall end in 30',
  frontends: ['ublk', 'nbd'],
  processors: 1,
  timeoutSeconds: 300,
  steps: {
    async main(guest, { frontend }: { frontend: Frontend }) {
      const [ram, spare] = await ramDisks(guest, 2, 4);
      for (const blockBytes of [512, 4096] as const) await badBlocks(guest, frontend, blockBytes, spare!);
      await delays(guest, frontend, ram!, spare!);
    },
  },
});

async function badBlocks(
  guest: Guest,
  frontend: Frontend,
  blockBytes: 512 | 4096,
  spare: string,
): Promise<void> {
  const disk = await NullBlock.create(guest, `nullb-${frontend}-${blockBytes}`, { sizeMiB: 8, blockBytes });
  const set = { main: disk.path, spares: [spare], frontend, blockBytes };
  await formatSet(set);
  const events = await useDevice(guest, set, async (file) => {
    await file.writeAll(0, DATA_SECTORS, 1);
    for (const [first, last] of [
      [100, 103],
      [1_000, 1_000],
      [1_015, 1_017],
      [2_040, 2_063],
    ] as const)
      disk.addBadSectors(first, last);
    await file.writeAll(0, DATA_SECTORS, 2);
    await file.flush();
    await file.expect(0, DATA_SECTORS, 2);

    disk.addBadSectors(3_004, 3_004);
    const blockSectors = blockBytes / 512;
    const lost = 3_004 - (3_004 % blockSectors);
    const isLost = (lba: number): boolean => lba >= lost && lba < lost + blockSectors;
    expectEqual(await file.readError(2_992, 24), 'EIO', 'reading across a block that has become bad');
    for (let lba = 2_992; lba < 3_016; lba += blockSectors)
      expectEqual(await file.readError(lba, blockSectors), isLost(lba) ? 'EIO' : null, `sector ${lba}`);
    await file.write(lost, blockSectors, 3);
    disk.clearBadSectors(0, LAST_SECTOR);
    await interruptions(guest, disk, file);
    await file.expect(0, DATA_SECTORS, (lba) => (isLost(lba) ? 3 : 2));
  });
  const moved = [96, 1_000, 1_008, 1_016, 2_040, 2_048, 2_056].map((sector) => `${sector}: writeError`);
  expectEqual(describeRemaps(await remapsOf([spare])), [...moved, '3000: readError'], 'the remaps');
  expectEqual(ofKind(events, 'lost').length, 1, 'losses');
}

/** All of the disk fails for some milliseconds while it is read: nothing is lost by that, nothing moves. */
async function interruptions(guest: Guest, disk: NullBlock, file: PatternFile): Promise<void> {
  for (let round = 0; round < 10; round++) {
    disk.addBadSectors(0, LAST_SECTOR);
    const reading = file.readError(3_200 + round * 8, 8);
    await guest.sleep(round * 10);
    disk.clearBadSectors(0, LAST_SECTOR);
    await reading;
    // The breaker may have opened; then it looks every two seconds.
    await until('the disk is used again', async () => (await file.readError(3_200 + round * 8, 8)) === null);
  }
}

/** Slow is not bad: nothing moves; what goes elsewhere meanwhile comes through. */
async function delays(guest: Guest, frontend: Frontend, main: string, spare: string): Promise<void> {
  const slowMain = await MappedDevice.create(guest, 'slow-main', slowTable(main, 8_192, 2_048, ''));
  const slowSpare = await MappedDevice.create(guest, 'slow-spare', slowTable(spare, 8_192, 8_192, ''));
  const set = { main: slowMain.path, spares: [slowSpare.path], frontend };
  await formatSet(set);
  await useDevice(guest, set, async (file, served) => {
    const other = await PatternFile.open(served.path);
    await file.writeAll(0, 8_192, 1);
    // Sectors 2040 to 2047, in the slow part, are bad for writing: they move to a slow spare.
    await slowMain.replaceTable(slowTable(main, 8_192, 2_048, `2040 8 error\n`));
    const slow = file.writeAll(0, 2_048, 2);
    await other.writeAll(2_048, 4_096, 2);
    await other.flush();
    await slow;
    await file.flush();
    await file.expect(0, 8_192, (lba) => (lba < 6_144 ? 2 : 1));
    await other.close();
  });
  expectEqual(describeRemaps(await remapsOf([slowSpare.path])), ['2040: writeError'], 'the remaps');
}

/** The first sectors wait 20 ms reading, 50 ms writing, 20 ms flushing; `before` replaces the last of them. */
function slowTable(device: string, sectors: number, slowSectors: number, before: string): string {
  const end = before === '' ? slowSectors : slowSectors - 8;
  const slow = `0 ${end} delay ${device} 0 20 ${device} 0 50 ${device} 0 20\n`;
  const rest =
    slowSectors === sectors
      ? ''
      : `${slowSectors} ${sectors - slowSectors} linear ${device} ${slowSectors}\n`;
  return `${slow}${before}${rest}`;
}

const DATA_SECTORS = 4_096;
const LAST_SECTOR = 16_383;
