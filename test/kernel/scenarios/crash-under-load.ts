import { readFileSync } from 'node:fs';
import { xorshift } from '../../support/xorshift.js';
import { ramDisks } from '../lab/guest/brd.js';
import { MappedDevice, tableWithBadSectors } from '../lab/guest/device-mapper.js';
import { dmremap, type Served, type ServeOptions, serve, startServer } from '../lab/guest/dmremap.js';
import { expect, expectEqual } from '../lab/guest/expect.js';
import { FileLoad } from '../lab/guest/file-load.js';
import { checkFileSystem, makeFileSystem, mount, unmount } from '../lab/guest/file-system.js';
import { FioLoad } from '../lab/guest/fio-load.js';
import type { Guest } from '../lab/guest/guest.js';
import { PatternFile } from '../lab/guest/pattern-file.js';
import { expectNoUblkDevice } from '../lab/guest/ublk-left-overs.js';
import { VerifyingLoad } from '../lab/guest/verifying-load.js';
import { scenario } from '../lab/scenario.js';

export default scenario({
  name: 'crash-under-load',
  about:
    'The daemon is killed fifty times and replaced ten times, at random moments, under fio, a raw load and a mounted ext4: no I/O error, no wrong byte.',
  kernels: ['6.12', '6.18'],
  notInSuite: 'sixty starts under load take up to an hour; the suite shall end in 30 minutes',
  timeoutSeconds: 3_000,
  async host(lab) {
    const machine = await lab.boot();
    await machine.run('main', { seed: lab.seed, crashCount: lab.kernel === '6.12' ? 50 : 12 });
    await machine.powerOff();
  },
  steps: {
    async main(guest, { seed, crashCount }: { seed: number; crashCount: number }) {
      const options = await protectedDevice(guest);
      const startedMs = Date.now();
      const first = await serve(guest, options);
      const startMs = Date.now() - startedMs;
      guest.say(`a start takes ${startMs} ms`);
      letIoWait(guest, startMs);
      const loads = await startLoads(guest, first.path, seed);
      const plan = { guest, options, random: xorshift(seed), crashCount, replaceCount: 10, startMs };
      const last = await disturb(first, plan);
      await loads.stop();
      await last.stop();
      expectNoUblkDevice();
    },
  },
});

/** 32 MiB, with bad sectors everywhere. */
async function protectedDevice(guest: Guest): Promise<ServeOptions> {
  const [disk, spare] = await ramDisks(guest, 2, DISK_MIB);
  const badSectors = Array.from({ length: 300 }, (_, index) => 100 + index * 211);
  const main = await MappedDevice.create(guest, 'main', tableWithBadSectors(disk!, badSectors));
  await dmremap(guest, ['format', '--main', main.path, '--spare', spare!, '--yes']);
  return { main: main.path, spares: [spare!], frontend: 'ublk', further: ['--queues', '2'] };
}

/** While nobody serves, I/O waits: for two starts, on a host that may get busier. The kernel calls that hung by itself. */
function letIoWait(guest: Guest, startMs: number): void {
  const limit = '/proc/sys/kernel/hung_task_timeout_secs';
  const seconds = Math.ceil((STARTS_TO_WAIT * startMs) / 1_000);
  guest.write(limit, String(Math.max(seconds, Number(readFileSync(limit, 'utf8')))));
}

/** fio, two raw loads, and an ext4 on a device-mapper device over the second half. */
async function startLoads(guest: Guest, path: string, seed: number): Promise<{ stop(): Promise<void> }> {
  const half = (DISK_MIB / 2) * SECTORS_PER_MIB;
  await fill(path);
  const files = await MappedDevice.create(guest, 'files', `0 ${half} linear ${path} ${half}\n`);
  await makeFileSystem(guest, 'ext4', files.path);
  const directory = await mount(guest, 'ext4', files.path);
  const part = half / 4;
  const fileLoad = new FileLoad(directory, seed);
  const fio = new FioLoad(guest, { path, firstSector: 0, sectorCount: part }, seed);
  const raw = await Promise.all(
    [1, 2].map((index) =>
      VerifyingLoad.start({ path, firstSector: index * part, sectorCount: part }, seed + index),
    ),
  );
  const stop = async (): Promise<void> => {
    for (const load of [...raw, fileLoad, fio]) await load.stop();
    const counts = [...raw, fileLoad].map((load) => load.operationCount);
    guest.say(`${fio.passCount} passes of fio; operations of the others: ${counts.join(', ')}`);
    expect(fio.passCount > 0 && Math.min(...counts) > 10, 'the loads did something');
    await unmount(guest, directory);
    await checkFileSystem(guest, 'ext4', files.path);
    await mount(guest, 'ext4', files.path);
    await fileLoad.check();
    await unmount(guest, directory);
    await files.remove();
  };
  return { stop };
}

/** A bad sector that was never written can't be read; the page cache would have to, for blocks smaller than a page. */
async function fill(path: string): Promise<void> {
  const file = await PatternFile.open(path);
  await file.writeAll(0, DISK_MIB * SECTORS_PER_MIB, 0);
  await file.close();
}

interface Plan {
  readonly guest: Guest;
  readonly options: ServeOptions;
  readonly random: () => number;
  readonly crashCount: number;
  readonly replaceCount: number;
  /** How long a start takes on this machine. */
  readonly startMs: number;
}

/** Kills and replaces the server; answers with the one that serves at the end. */
async function disturb(first: Served, plan: Plan): Promise<Served> {
  const { guest, random, crashCount, replaceCount } = plan;
  let served = first;
  for (let crashes = 0, replaced = 0; crashes < crashCount || replaced < replaceCount; ) {
    await guest.sleep(random() % LONGEST_PEACE_MS);
    const replaces = crashes >= crashCount || (replaced < replaceCount && random() % 6 === 0);
    const change = replaces ? pick(REPLACEMENTS, replaced) : pick(CRASHES, random());
    guest.say(`${crashes + replaced}: ${change.name}`);
    served = await change(plan, served);
    expectEqual(served.path, first.path, 'where it came back');
    if (replaces) replaced += 1;
    else crashes += 1;
  }
  return served;
}

function pick(changes: readonly Change[], index: number): Change {
  return changes[index % changes.length]!;
}

type Change = (plan: Plan, served: Served) => Promise<Served>;

const REPLACEMENTS: readonly Change[] = [
  async function takenOver({ guest, options }, served) {
    const next = await serve(guest, replacing(options));
    await served.handedOver();
    return next;
  },
  async function handedOverBySignal({ guest, options }, served) {
    served.program.kill('SIGUSR2');
    await served.handedOver();
    return serve(guest, options);
  },
];

const CRASHES: readonly Change[] = [
  async function killed({ guest, options }, served) {
    await served.crash();
    return serve(guest, options);
  },
  async function killedAndStartedAtOnce({ guest, options }, served) {
    const crashed = served.crash();
    const next = await serve(guest, options);
    await crashed;
    return next;
  },
  async function killedWhileRecovering(plan, served) {
    await served.crash();
    await startAndKill(plan, plan.options);
    return serve(plan.guest, plan.options);
  },
  async function replacementKilled(plan, served) {
    await startAndKill(plan, replacing(plan.options));
    const next = await serve(plan.guest, replacing(plan.options));
    await served.handedOver();
    return next;
  },
  async function killedWhileHandingOver({ guest, options, random, startMs }, served) {
    const next = serve(guest, replacing(options));
    await guest.sleep(random() % startMs);
    await served.crash();
    return next;
  },
];

/** At any moment between its beginning and when it would be ready. */
async function startAndKill({ guest, random, startMs }: Plan, options: ServeOptions): Promise<void> {
  const program = startServer(guest, options);
  await guest.sleep(random() % startMs);
  program.kill('SIGKILL');
  await program.finish();
}

function replacing(options: ServeOptions): ServeOptions {
  return { ...options, further: [...(options.further ?? []), '--take-over'] };
}

const STARTS_TO_WAIT = 20;
const DISK_MIB = 32;
const SECTORS_PER_MIB = 2_048;
const LONGEST_PEACE_MS = 500;
