import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MappedDevice, tableWithBadSectors } from '../lab/guest/device-mapper.js';
import { diskPath } from '../lab/guest/disks.js';
import { dmremap, type Served, serve } from '../lab/guest/dmremap.js';
import { expect, expectEqual } from '../lab/guest/expect.js';
import { checkFileSystem, makeFileSystem, mount, unmount } from '../lab/guest/file-system.js';
import type { Guest } from '../lab/guest/guest.js';
import { until } from '../lab/guest/until.js';
import { type Frontend, scenario } from '../lab/scenario.js';

export default scenario({
  name: 'memory-pressure',
  about:
    'More dirty pages than memory, and swap, on a block device whose server lives in the same memory: everything finishes.',
  kernels: ['6.12', '6.18'],
  notInSuite: { '6.18 nbd': 'the same server behind a socket as on 6.12; zero copy is for ublk only' },
  frontends: ['ublk', 'nbd'],
  memoryMiB: 384,
  disks: { main: { sizeMiB: 640 }, spare: { sizeMiB: 16 } },
  timeoutSeconds: 600,
  steps: {
    async main(guest, { frontend }: { frontend: Frontend }) {
      const spare = diskPath('spare');
      const main = await MappedDevice.create(
        guest,
        'main',
        tableWithBadSectors(diskPath('main'), BAD_SECTORS),
      );
      await dmremap(guest, ['format', '--main', main.path, '--spare', spare, '--yes', '--force']);
      await withoutSwap(guest);
      const served = await serve(guest, { main: main.path, spares: [spare], frontend });
      if (frontend === 'ublk') expectGuarded(guest, served);
      await filledThroughPageCache(guest, served);
      if (frontend === 'ublk') await usedAsSwap(guest, served);
      await served.stop();
    },
  },
});

/** As boot/dm-remap@.service has it: what runs from here, the server among it, is not swapped out. */
async function withoutSwap(guest: Guest): Promise<void> {
  if (existsSync(`${CGROUPS}/server`)) return;
  await guest.run(['mount', '-t', 'cgroup2', 'cgroup2', CGROUPS]);
  guest.write(`${CGROUPS}/cgroup.subtree_control`, '+memory');
  for (const name of ['server', 'programs']) mkdirSync(`${CGROUPS}/${name}`);
  guest.write(`${CGROUPS}/server/memory.swap.max`, '0');
  guest.write(`${CGROUPS}/server/cgroup.procs`, String(process.pid));
}

interface ThreadState {
  readonly name: string;
  readonly flags: number;
  readonly policy: number;
}

function threadsOf({ program }: Served): ThreadState[] {
  const tasks = `/proc/${program.pid}/task`;
  return readdirSync(tasks).map((id) => {
    const [, name, rest] = /\((.*)\) (.*)/.exec(readFileSync(join(tasks, id, 'stat'), 'utf8'))!;
    const fields = rest!.split(' ');
    return {
      name: name!,
      flags: Number(fields[FLAGS_AFTER_NAME]),
      policy: Number(fields[POLICY_AFTER_NAME]),
    };
  });
}

/** Every thread may be waited for when memory is reclaimed, and the process is not killed for want of it. */
function expectGuarded(guest: Guest, served: Served): void {
  const threads = threadsOf(served);
  guest.say(`threads: ${threads.map(({ name, flags }) => `${name} 0x${flags.toString(16)}`).join(', ')}`);
  for (const { name, flags } of threads)
    expectEqual(flags & PF_IO_FLUSHER, PF_IO_FLUSHER, `PF_MEMALLOC_NOIO and PF_LOCAL_THROTTLE of ${name}`);
  const score = readFileSync(`/proc/${served.program.pid}/oom_score_adj`, 'utf8').trim();
  expectEqual(score, '-1000', 'oom_score_adj of the server');
}

async function filledThroughPageCache(guest: Guest, served: Served): Promise<void> {
  await makeFileSystem(guest, 'ext4', served.path, ['-b', '4096']);
  const directory = await mount(guest, 'ext4', served.path);
  guest.write('/proc/sys/vm/dirty_ratio', '80');
  guest.write('/proc/sys/vm/dirty_background_ratio', '70');
  await program(guest, FILL, [`${directory}/large`, String(FILE_MIB)]);
  await guest.run(['sync'], { timeoutSeconds: 300 });
  await program(guest, COMPARE, [`${directory}/large`, String(FILE_MIB)]);
  await unmount(guest, directory);
  await checkFileSystem(guest, 'ext4', served.path);
  guest.say(`${FILE_MIB} MiB written through the page cache and compared`);
}

async function usedAsSwap(guest: Guest, served: Served): Promise<void> {
  await guest.run(['mkswap', served.path]);
  await guest.run(['swapon', served.path]);
  const refusal = await dmremap(guest, ['stop', served.path], { statuses: null });
  expect(refusal.stderr.includes('used as swap'), `a stop is refused: ${refusal.stderr}`);
  await untilRealTime(served);
  await swappedFile(guest);
  expectGuarded(guest, served);
  const [pagesIn, pagesOut] = [swapCount('pswpin'), swapCount('pswpout')];
  guest.say(`swap: ${pagesIn} pages in, ${pagesOut} out`);
  expect(pagesIn > 1_000 && pagesOut > 1_000, 'the swap was used');
  await guest.run(['swapoff', served.path], { timeoutSeconds: 300 });
}

/** The server sees the swap a moment later, and then may use the kernel's reserve of memory. */
function untilRealTime(served: Served): Promise<void> {
  return until(
    'every thread of the server is a real-time thread while there is swap on its device',
    () => threadsOf(served).every(({ policy }) => policy === SCHED_RR),
    60,
  );
}

/** Of tmpfs, larger than the memory that is left. Small programs: a large one's own text, over 9p, would come and go as well. */
async function swappedFile(guest: Guest): Promise<void> {
  const directory = '/run/lab/swapped';
  mkdirSync(directory);
  await guest.run(['mount', '-t', 'tmpfs', '-o', 'size=512m', 'tmpfs', directory]);
  const file = `${directory}/numbers`;
  const enter = `echo $$ > ${CGROUPS}/programs/cgroup.procs`;
  const work = `seq ${LINE_COUNT} > ${file} && seq ${LINE_COUNT} | cmp - ${file} && stat -c %s ${file}`;
  const { stdout } = await guest.run(['sh', '-c', `${enter} && ${work}`], { timeoutSeconds: 400 });
  guest.say(`${Math.round(Number(stdout) / 2 ** 20)} MiB in tmpfs written and compared`);
  await guest.run(['umount', directory]);
}

function swapCount(name: 'pswpin' | 'pswpout'): number {
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(readFileSync('/proc/vmstat', 'utf8'))?.[1]);
}

/** Runs JavaScript in a control group of its own, where it can be swapped out. */
async function program(guest: Guest, script: string, args: readonly string[]): Promise<void> {
  const enter = `echo $$ > ${CGROUPS}/programs/cgroup.procs && exec "$@"`;
  await guest.run(['sh', '-c', enter, 'sh', 'node', '-e', script, ...args], { timeoutSeconds: 400 });
}

/**
 * Arguments: path, MiB. Every MiB of the file has contents of its own. In buffers that are used again: garbage is
 * collected by threads that a busy host starves, and 60 MiB of it that are still there bring the program what is meant
 * for page cache, and then the OOM killer.
 */
const FILL = `
const [path, count] = process.argv.slice(1);
const fd = fs.openSync(path, 'w');
const contents = Buffer.alloc(1 << 20);
for (let index = 0; index < Number(count); index++) fs.writeSync(fd, contents.fill('MiB ' + index + ' '));
`;

const COMPARE = `
const [path, count] = process.argv.slice(1);
const fd = fs.openSync(path, 'r');
const [found, expected] = [Buffer.alloc(1 << 20), Buffer.alloc(1 << 20)];
for (let index = 0; index < Number(count); index++) {
  fs.readSync(fd, found);
  if (!found.equals(expected.fill('MiB ' + index + ' '))) throw new Error('MiB ' + index + ' differs');
}
`;

const CGROUPS = '/sys/fs/cgroup';
const FILE_MIB = 512;
/** 200 MB of text. */
const LINE_COUNT = 23_000_000;
const BAD_SECTORS = Array.from({ length: 40 }, (_, index) => 20_000 + index * 30_011);
/** linux/sched.h: PF_MEMALLOC_NOIO and PF_LOCAL_THROTTLE, which PR_SET_IO_FLUSHER sets. */
const PF_IO_FLUSHER = 0x0018_0000;
/** proc_pid_stat(5): fields 9 and 41, counted from the state, which is field 3 and follows the name. */
const FLAGS_AFTER_NAME = 6;
const POLICY_AFTER_NAME = 38;
/** linux/sched.h. */
const SCHED_RR = 2;
