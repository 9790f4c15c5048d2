import { ramDisks } from '../lab/guest/brd.js';
import { type DeviceContents, deviceContents } from '../lab/guest/device-contents.js';
import { MappedDevice, tableWithBadSectors } from '../lab/guest/device-mapper.js';
import { dmremap, type ServeOptions } from '../lab/guest/dmremap.js';
import { expect, expectEqual } from '../lab/guest/expect.js';
import type { Guest } from '../lab/guest/guest.js';
import { formatSet, remapsOf } from '../lab/guest/set-metadata.js';
import { useDevice } from '../lab/guest/use-device.js';
import { type Frontend, scenario } from '../lab/scenario.js';

export default scenario({
  name: 'exported-table',
  about:
    'The table of "dmremap export --dm-table", loaded with dmsetup, shows the bytes of our device, sector by sector, with remaps on two spares and lost blocks; and the way back is open.',
  kernels: ['6.12'],
  notInSuite: 'takes 4 minutes; the suite shall end in 30',
  frontends: ['ublk', 'nbd'],
  processors: 1,
  timeoutSeconds: 300,
  steps: {
    async main(guest, { frontend }: { frontend: Frontend }) {
      const [ram, ...others] = await ramDisks(guest, 3, 4);
      const main = await MappedDevice.create(guest, 'main', tableWithBadSectors(ram!, BAD_FOR_WRITES));
      const spares: string[] = [];
      for (const [index, other] of others.entries())
        spares.push((await MappedDevice.create(guest, `spare${index}`, smallTable(other))).path);
      const set = { main: main.path, spares, frontend };
      await formatSet(set);

      const ours = await fill(guest, main, ram!, set);
      expectEqual(ours.failing, BAD_FOR_READS.slice(1), 'sectors that fail on our device');
      const remaps = await remapsOf(spares);
      expectEqual(remaps.length, BAD_FOR_WRITES.length + 3, 'remaps');
      expectEqual([...new Set(remaps.map(({ spareIndex }) => spareIndex))], [0, 1], 'spares in use');
      await compareExported(guest, set, ours);
      await useDevice(guest, set, async (_, { path }) => {
        expectEqual(await deviceContents(path), ours, 'our device again, compared with what it was');
      });
    },
  },
});

/** Bad sectors that are written move; those that are read first are lost, but for one that is written afterwards. */
async function fill(
  guest: Guest,
  main: MappedDevice,
  ram: string,
  set: ServeOptions,
): Promise<DeviceContents> {
  let contents: DeviceContents | undefined;
  await useDevice(guest, set, async (file, { path }) => {
    await file.writeAll(0, MAIN_SECTORS, 1);
    await file.flush();
    await main.replaceTable(tableWithBadSectors(ram, [...BAD_FOR_WRITES, ...BAD_FOR_READS]));
    for (const sector of BAD_FOR_READS)
      expectEqual(await file.readError(sector, 1), 'EIO', `sector ${sector}`);
    await file.write(BAD_FOR_READS[0]!, 1, 2);
    contents = await deviceContents(path);
  });
  return contents!;
}

async function compareExported(guest: Guest, set: ServeOptions, ours: DeviceContents): Promise<void> {
  const { stdout: table } = await dmremap(guest, ['export', '--dm-table', '--main', set.main, ...set.spares]);
  guest.say(`a table of ${table.trim().split('\n').length} rows`);
  const exported = await MappedDevice.create(guest, 'exported', table);
  expectEqual(await deviceContents(exported.path), ours, 'the exported table, compared with our device');
  const refused = await dmremap(guest, ['run', ...devicesOf(set), '--nbd', 'nbd://127.0.0.1:0/'], {
    statuses: [DEVICE_STATUS],
  });
  expect(/in use|busy|held/.test(refused.stderr), `why we are refused meanwhile: ${refused.stderr}`);
  await exported.remove();
}

function devicesOf({ main, spares }: ServeOptions): string[] {
  return ['--main', main, ...spares.flatMap((spare) => ['--spare', spare])];
}

/** 1 MiB, the least that a spare may have: the first one is full before the bad sectors are through. */
function smallTable(device: string): string {
  return `0 2048 linear ${device} 0\n`;
}

const MAIN_SECTORS = 8_192;
/** One in every fourth unit of 8 sectors, at changing places in it. */
const BAD_FOR_WRITES = Array.from({ length: 256 }, (_, index) => index * 32 + (index % 8));
/** In other units; two in one, and the last of the device. */
const BAD_FOR_READS = [12, 13, 1_003, 8_191];
/** docs/exit-codes.md. */
const DEVICE_STATUS = 3;
