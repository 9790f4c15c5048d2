import { MappedDevice } from '../lab/guest/device-mapper.js';
import { diskPath } from '../lab/guest/disks.js';
import { dmremap, type Served, serve, startDmremap } from '../lab/guest/dmremap.js';
import { expectEqual } from '../lab/guest/expect.js';
import { checkFileSystem, makeFileSystem, mount, unmount } from '../lab/guest/file-system.js';
import type { Guest } from '../lab/guest/guest.js';
import { PatternFile } from '../lab/guest/pattern-file.js';
import { until } from '../lab/guest/until.js';
import { type Lab, scenario } from '../lab/scenario.js';

const DISK_MIB = 64;

export default scenario({
  name: 'evacuate-power-cut',
  about:
    'The power is cut three times while a set is copied to another disk, all with write caches: each time what was flushed is there, the copying goes on by itself from where it was, and in the end the other disk takes over.',
  kernels: ['6.12'],
  notInSuite: 'takes 5 minutes; the suite shall end in 30',
  frontends: ['ublk'],
  disks: {
    main: { sizeMiB: DISK_MIB, isVolatile: true },
    spare: { sizeMiB: 16, isVolatile: true },
    target: { sizeMiB: DISK_MIB, isVolatile: true },
    state: { sizeMiB: 16 },
  },
  timeoutSeconds: 900,
  async host(lab) {
    const machine = await lab.boot();
    await machine.run('create');
    await machine.powerOff();
    await bootAndCut(lab, 'begin', { generation: 1 }, SETTLED_MS);
    await bootAndCut(lab, 'goOn', { generation: 2 }, 0);
    await bootAndCut(lab, 'goOn', { generation: 3 }, 0);
    const last = await lab.boot();
    await last.run('end', { generation: 4 });
    await last.powerOff();
  },
  steps: {
    async create(guest) {
      await makeFileSystem(guest, 'ext4', diskPath('state'));
      const main = await slowMain(guest);
      await dmremap(guest, ['format', '--main', main.path, '--spare', diskPath('spare'), '--yes']);
      await main.remove();
      const set = await serveSet(guest);
      await set.raw.writeAll(0, SECTORS, 1);
      await set.raw.flush();
      const files = await filesOf(guest, set.served);
      await makeFileSystem(guest, 'ext4', files.path);
      await files.remove();
      await set.stop();
    },
    async begin(guest, { generation }: Flushed) {
      const set = await serveSet(guest);
      startDmremap(guest, ['evacuate', set.served.path, diskPath('target'), '--yes']);
      await untilCutOff(guest, set, generation);
    },
    async goOn(guest, { generation }: Flushed) {
      const set = await serveSet(guest);
      await expectPosition(guest, set);
      await untilCutOff(guest, set, generation);
    },
    async end(guest, { generation }: Flushed) {
      const set = await serveSet(guest);
      await expectPosition(guest, set);
      await expectFlushed(set, generation);
      await dmremap(guest, ['evacuate', set.served.path], { timeoutSeconds: 300 });
      const { main } = await statusOf(guest, set.served);
      expectEqual(main.path, diskPath('target'), 'the main device');
      await expectFlushed(set, generation);
      await expectRest(set);
      const files = await filesOf(guest, set.served);
      await checkFileSystem(guest, 'ext4', files.path);
      await files.remove();
      await set.stop();
    },
  },
});

/** Writes, once it is being copied, what has to be there after the power was cut, and waits for that. */
async function untilCutOff(guest: Guest, set: SetAtWork, generation: number): Promise<void> {
  await until('it is being copied', async () => (await statusOf(guest, set.served)).evacuation !== null, 60);
  await expectFlushed(set, generation);
  await set.raw.writeAll(FILES_SECTORS, REWRITTEN_SECTORS, generation + 1);
  await set.raw.flush();
  await guest.record(String(generation + 1));
  await until('the power is cut', () => false, 120);
}

/** Something of what was copied before the first cut need not be copied again, once samples of it were compared. */
async function expectPosition(guest: Guest, set: SetAtWork): Promise<void> {
  const isFar = async (): Promise<boolean> => {
    const { evacuation } = await statusOf(guest, set.served);
    return evacuation?.beginning === 'position' && evacuation.beginningBytes > 0;
  };
  await until('the copying goes on from its position', isFar, 120);
}

async function expectFlushed({ raw }: SetAtWork, generation: number): Promise<void> {
  await raw.expect(FILES_SECTORS, REWRITTEN_SECTORS, generation);
}

async function expectRest({ raw }: SetAtWork): Promise<void> {
  const rest = FILES_SECTORS + REWRITTEN_SECTORS;
  await raw.expect(rest, SECTORS - rest, 1);
}

async function bootAndCut(lab: Lab, step: string, flushed: Flushed, earliestMs: number): Promise<void> {
  const machine = await lab.boot();
  const before = lab.records.length;
  const { ended } = machine.begin(step, flushed);
  await Promise.race([lab.recordCount(before + 1), ended]);
  await Promise.race([lab.sleep(earliestMs + lab.random(LONGEST_COPYING_MS)), ended]);
  await machine.cutPower();
  const end = await ended;
  if (end.kind === 'failed') throw new Error(`${step}: ${end.message}`);
}

/** Of what was flushed last, in an earlier boot. */
interface Flushed {
  readonly generation: number;
}

interface SetAtWork {
  readonly served: Served;
  readonly raw: PatternFile;
  stop(): Promise<void>;
}

async function serveSet(guest: Guest): Promise<SetAtWork> {
  const stateDirectory = await mount(guest, 'ext4', diskPath('state'));
  const main = await slowMain(guest);
  const options = { main: main.path, spares: [diskPath('spare')], frontend: 'ublk' } as const;
  const served = await serve(guest, { ...options, further: ['--archive', stateDirectory] });
  const raw = await PatternFile.open(served.path);
  const stop = async (): Promise<void> => {
    await raw.close();
    await served.stop();
    await main.remove();
    await unmount(guest, stateDirectory);
  };
  return { served, raw, stop };
}

function filesOf(guest: Guest, served: Served): Promise<MappedDevice> {
  return MappedDevice.create(guest, 'files', `0 ${FILES_SECTORS} linear ${served.path} 0\n`);
}

/** Copying takes its time: in pieces of 1 MiB, some at once. */
async function slowMain(guest: Guest): Promise<MappedDevice> {
  await guest.modprobe('dm_delay');
  const disk = diskPath('main');
  return MappedDevice.create(guest, 'main', `0 ${SECTORS} delay ${disk} 0 ${READ_DELAY_MS} ${disk} 0 0\n`);
}

interface StatusOfSet {
  readonly main: { readonly path: string };
  readonly evacuation: { readonly beginning: string; readonly beginningBytes: number } | null;
}

async function statusOf(guest: Guest, served: Served): Promise<StatusOfSet> {
  return JSON.parse((await dmremap(guest, ['status', served.path, '--json'])).stdout).sets[0];
}

const SECTORS = DISK_MIB * 2_048;
const FILES_SECTORS = 16 * 2_048;
const REWRITTEN_SECTORS = 2_048;
const READ_DELAY_MS = 1_000;
/** What is copied is recorded every ten seconds. */
const SETTLED_MS = 14_000;
const LONGEST_COPYING_MS = 5_000;
