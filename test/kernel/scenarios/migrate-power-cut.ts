import { DmRemapError } from '../../../src/library/errors.js';
import { inspectSpares } from '../../../src/library/inspect-spares.js';
import { diskPath } from '../lab/guest/disks.js';
import { dmremap, type Served, serve } from '../lab/guest/dmremap.js';
import { expectEqual } from '../lab/guest/expect.js';
import { makeFileSystem, mount, unmount } from '../lab/guest/file-system.js';
import type { Guest } from '../lab/guest/guest.js';
import { PatternFile } from '../lab/guest/pattern-file.js';
import { type Lab, scenario } from '../lab/scenario.js';

export default scenario({
  name: 'migrate-power-cut',
  about:
    'The power is cut six times while everything moves from one spare to another, on disks with write caches: each time the set is there with the one spare or both, every byte is right, and the moving goes on to its end.',
  kernels: ['6.12'],
  notInSuite: 'takes 10 minutes; the suite shall end in 30',
  frontends: ['ublk'],
  disks: {
    main: { sizeMiB: 16, isVolatile: true },
    old: { sizeMiB: 16, isVolatile: true },
    target: { sizeMiB: 16, isVolatile: true },
    state: { sizeMiB: 16 },
  },
  timeoutSeconds: 900,
  async host(lab) {
    const machine = await lab.boot();
    await machine.run('create');
    await machine.powerOff();
    for (let cut = 1; cut <= CUT_COUNT; cut += 1) await bootAndCut(lab, cut);
    const last = await lab.boot();
    await last.run('migrate');
    await last.powerOff();
  },
  steps: {
    async create(guest) {
      await makeFileSystem(guest, 'ext4', diskPath('state'));
      await dmremap(guest, ['format', '--main', diskPath('main'), '--spare', diskPath('old'), '--yes']);
      const set = await serveSet(guest);
      const raw = await PatternFile.open(set.served.path);
      await raw.writeAll(0, SECTORS, 1);
      await raw.flush();
      await raw.close();
      await dmremap(guest, ['remap', 'add', set.served.path, '0', '--count', String(MOVED_SECTORS)]);
      await stop(guest, set);
    },
    /** May end with the machine. */
    async migrate(guest) {
      const set = await serveSet(guest);
      guest.say(`spares: ${set.spares.join(', ')}`);
      await expectData(set);
      await guest.record('migrating');
      const [from, to] = [diskPath('old'), diskPath('target')];
      await dmremap(guest, ['migrate', set.served.path, '--from', from, '--to', to, '--yes'], {
        timeoutSeconds: 600,
      });
      await expectData(set);
      await stop(guest, set);
      const { spares, remaps } = await inspectSpares([to]);
      expectEqual(
        [spares.map(({ path }) => path), remaps.length],
        [[to], MOVED_UNITS],
        'spares and remaps at the end',
      );
    },
  },
});

async function bootAndCut(lab: Lab, cut: number): Promise<void> {
  const machine = await lab.boot();
  const before = lab.records.length;
  const { ended } = machine.begin('migrate');
  await Promise.race([lab.recordCount(before + 1), ended]);
  await Promise.race([lab.sleep(lab.random(LONGEST_RUN_MS)), ended]);
  await machine.cutPower();
  const end = await ended;
  if (end.kind === 'failed') throw new Error(`boot ${cut}: ${end.message}`);
  lab.say(`cut ${cut}: ${end.kind === 'done' ? 'after the end' : 'in the midst'}`);
}

interface SetAtWork {
  readonly served: Served;
  readonly spares: readonly string[];
  /** What is remembered of its jobs is there. */
  readonly stateDirectory: string;
}

async function serveSet(guest: Guest): Promise<SetAtWork> {
  const stateDirectory = await mount(guest, 'ext4', diskPath('state'));
  const spares = await sparesOfSet();
  const further = ['--archive', stateDirectory];
  const served = await serve(guest, { main: diskPath('main'), spares, frontend: 'ublk', further });
  return { served, spares, stateDirectory };
}

async function stop(guest: Guest, { served, stateDirectory }: SetAtWork): Promise<void> {
  await served.stop();
  await unmount(guest, stateDirectory);
}

/** The old one, both, or the other one: as the metadata says. */
async function sparesOfSet(): Promise<readonly string[]> {
  const [old, target] = [diskPath('old'), diskPath('target')];
  for (const candidate of [[old], [old, target], [target]]) {
    const report = await inspectSpares(candidate).catch(nothingThere);
    if (report?.spares.every(({ path }) => path !== null)) return candidate;
  }
  throw new Error('no set is there with one of the spares or with both');
}

function nothingThere(error: unknown): null {
  if (error instanceof DmRemapError) return null;
  throw error;
}

async function expectData({ served }: SetAtWork): Promise<void> {
  const raw = await PatternFile.open(served.path);
  await raw.expect(0, SECTORS, 1);
  await raw.close();
}

const SECTORS = 16 * 2_048;
const MOVED_UNITS = 1_024;
const MOVED_SECTORS = MOVED_UNITS * 8;
const CUT_COUNT = 6;
const LONGEST_RUN_MS = 60_000;
