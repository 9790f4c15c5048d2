import { inspectSpares } from '../../../src/library/inspect-spares.js';
import { type Acknowledged, acknowledgedBy } from '../lab/guest/acknowledged.js';
import { Database, TABLE_SECTORS } from '../lab/guest/database.js';
import { MappedDevice, tableWithBadSectors } from '../lab/guest/device-mapper.js';
import { diskPath, sectorCount } from '../lab/guest/disks.js';
import { dmremap, type Served, serve } from '../lab/guest/dmremap.js';
import { expect, expectEqual } from '../lab/guest/expect.js';
import { checkFileSystem, makeFileSystem, mount, unmount } from '../lab/guest/file-system.js';
import type { Guest } from '../lab/guest/guest.js';
import { type Frontend, type Lab, scenario } from '../lab/scenario.js';

export default scenario({
  name: 'power-cut',
  about:
    'The power is cut twenty times under a database that syncs what it writes, on disks with write caches and bad sectors: all that was acknowledged is there, file system and metadata are sound.',
  kernels: ['6.12'],
  notInSuite: 'twenty power cuts take 23 minutes; the suite shall end in 30',
  frontends: ['ublk', 'nbd'],
  disks: { main: { sizeMiB: 64, isVolatile: true }, spare: { sizeMiB: 16, isVolatile: true } },
  timeoutSeconds: 1_800,
  async host(lab) {
    const machine = await lab.boot();
    await machine.run('create');
    await machine.powerOff();
    for (let cut = 1; cut <= CUT_COUNT; cut += 1) await bootAndCut(lab, cut);
    const last = await lab.boot();
    await last.run('check', plan(lab, CUT_COUNT + 1));
    await last.powerOff();
  },
  steps: {
    async create(guest) {
      const { served, directory } = await newFileSystem(guest);
      await new Database(directory, (line) => guest.record(line)).create();
      await unmount(guest, directory);
      await served.stop();
    },
    /** Ends with the machine. */
    async work(guest, { frontend, bootIndex, seed, acknowledged }: Plan) {
      const { database } = await recovered(guest, frontend, acknowledged);
      await guest.record(`boot ${bootIndex}: checked`);
      await database.work(seed + bootIndex, bootIndex * GENERATIONS_PER_BOOT, acknowledged.logCount);
    },
    async check(guest, { frontend, acknowledged }: Plan) {
      const { served, directory } = await recovered(guest, frontend, acknowledged);
      await unmount(guest, directory);
      await served.stop();
      const report = await inspect();
      expect(report.cleanShutdown, 'the set was stopped cleanly');
      expectEqual(report.damaged, 0, 'damaged copies of the metadata at the end');
      guest.say(`${report.remapCount} remaps at the end`);
      expect(report.remapCount > 100, 'sectors went bad under the load');
    },
  },
});

interface Plan {
  readonly frontend: Frontend;
  readonly bootIndex: number;
  readonly seed: number;
  readonly acknowledged: Acknowledged;
}

function plan(lab: Lab, bootIndex: number): Plan {
  const frontend = lab.frontends[bootIndex % 4 === 0 ? lab.frontends.length - 1 : 0]!;
  return { frontend, bootIndex, seed: lab.seed, acknowledged: acknowledgedBy(lab.records, TABLE_SECTORS) };
}

/** One cut in four while the set is being opened and the file system recovers, the others under load. */
async function bootAndCut(lab: Lab, cut: number): Promise<void> {
  const machine = await lab.boot();
  const before = lab.records.length;
  const { ended } = machine.begin('work', plan(lab, cut));
  const underLoad = cut % 4 !== 3;
  await Promise.race([enough(lab, before, cut, underLoad), ended]);
  await lab.sleep(lab.random(underLoad ? 300 : 3_000));
  await machine.cutPower();
  const end = await ended;
  if (end.kind === 'failed') throw new Error(`boot ${cut}: ${end.message}`);
  lab.say(`cut ${cut}: ${lab.records.length - before} records since boot`);
}

async function enough(lab: Lab, before: number, cut: number, underLoad: boolean): Promise<void> {
  await lab.recordCount(before + 1);
  if (!underLoad) return;
  while (!lab.records.includes(`boot ${cut}: checked`)) await lab.recordCount(lab.records.length + 1);
  await lab.recordCount(lab.records.length + 1 + lab.random(200));
}

async function newFileSystem(guest: Guest): Promise<{ served: Served; directory: string }> {
  const main = await failingDisk(guest);
  await dmremap(guest, ['format', '--main', main, '--spare', diskPath('spare'), '--yes']);
  const served = await serve(guest, { main, spares: [diskPath('spare')], frontend: 'ublk' });
  // Whole pages: for smaller blocks the page cache would have to read, which fails where a bad sector was never written.
  await makeFileSystem(guest, 'ext4', served.path, ['-b', '4096']);
  return { served, directory: await mount(guest, 'ext4', served.path) };
}

/** After a power cut: the set opens as it is, its metadata is repaired, file system and database are sound. */
async function recovered(
  guest: Guest,
  frontend: Frontend,
  acknowledged: Acknowledged,
): Promise<{ served: Served; directory: string; database: Database }> {
  const main = await failingDisk(guest);
  const before = await inspect();
  await guest.record(`opening, ${before.damaged} copies damaged, ${before.remapCount} remaps`);
  const served = await serve(guest, { main, spares: [diskPath('spare')], frontend });
  expectEqual((await inspect()).damaged, 0, 'damaged copies of the metadata after opening');
  await checkFileSystem(guest, 'ext4', served.path);
  const directory = await mount(guest, 'ext4', served.path);
  const database = new Database(directory, (line) => guest.record(line));
  await database.check(acknowledged);
  return { served, directory, database };
}

/** One unit of 4 KiB in sixteen has a bad sector, but for the ends of the disk, which mkfs reads before it writes. */
async function failingDisk(guest: Guest): Promise<string> {
  const disk = diskPath('main');
  const places = Math.floor(sectorCount(disk) / 128);
  const badSectors = Array.from({ length: places }, (_, index) => index * 128 + ((index * 37) % 128));
  const end = sectorCount(disk) - HEALTHY_END_SECTORS;
  const inside = badSectors.filter((sector) => sector >= HEALTHY_END_SECTORS && sector < end);
  return (await MappedDevice.create(guest, 'main', tableWithBadSectors(disk, inside))).path;
}

interface MetadataState {
  readonly cleanShutdown: boolean;
  /** Copies with anything wrong. */
  readonly damaged: number;
  readonly remapCount: number;
}

/** By the library: a program of its own takes seconds to start under emulation. */
async function inspect(): Promise<MetadataState> {
  const { cleanShutdown, copies, remaps } = await inspectSpares([diskPath('spare')]);
  const damaged = copies.filter((copy) => copy.superblock !== 'good' || copy.badPages > 0).length;
  return { cleanShutdown, damaged, remapCount: remaps.length };
}

const CUT_COUNT = 20;
const HEALTHY_END_SECTORS = 2_048;
const GENERATIONS_PER_BOOT = 1_000_000;
