import { fileURLToPath } from 'node:url';
import { ramDisks } from '../test/kernel/lab/guest/brd.js';
import { Guest } from '../test/kernel/lab/guest/guest.js';
import { scenario } from '../test/kernel/lab/scenario.js';
import { measurePoint, type Point } from './fio-point.js';
import type { BenchRow } from './nbd-rows.js';
import {
  type BenchDisks,
  UBLK_CONTENDER_NAMES,
  UBLK_CONTENDERS,
  type UblkContenderName,
} from './ublk-contenders.js';
import { countEnters, profileOfDeviceThread } from './ublk-profile.js';

/** The part of `npm run bench -- ublk` that runs inside the machine. All contenders are up from `prepare` to `finish`. */
export default scenario({
  name: 'bench-ublk',
  about: 'Our ublk device beside others.',
  kernels: ['6.12', '6.18'],
  steps: { prepare, measure, profile, finish },
});

export interface PrepareArgs {
  readonly contenders: readonly UblkContenderName[];
  readonly sizeMiB: number;
  /** The compiled `ublk-peer.c`. */
  readonly peerPath: string;
  /** Has `main.img` and `spare.img` of a set with remaps; null unless it is wanted. */
  readonly remappedDirectory: string | null;
  readonly withProfile: boolean;
}

export interface MeasureArgs {
  readonly contender: UblkContenderName;
  readonly row: BenchRow;
  readonly sizeBytes: number;
  readonly seconds: number;
  readonly seed: number;
}

/** What was made for the whole run hangs on a guest of its own, whose steps never end. */
let bench: Guest;
const paths = new Map<UblkContenderName, string>();

async function prepare(guest: Guest, args: PrepareArgs): Promise<void> {
  bench = new Guest({ say: (text) => guest.say(text), record: (line) => guest.record(line) });
  const disks = await prepareDisks(args);
  const nodeOptions = args.withProfile ? PROFILING : [];
  // Who claims a disk for itself comes after those who only open it.
  for (const name of UBLK_CONTENDER_NAMES.filter((one) => args.contenders.includes(one)).toReversed())
    paths.set(name, await UBLK_CONTENDERS[name](bench, disks, { peerPath: args.peerPath, nodeOptions }));
  for (const path of paths.values()) await warmUp(path);
}

/** Programs that are compiled while they run become quick by work, not by time: a second of ramp is little under emulation. */
async function warmUp(path: string): Promise<void> {
  const load = [
    '--rw=randrw',
    '--bs=4k',
    '--iodepth=32',
    '--ioengine=io_uring',
    '--direct=1',
    '--norandommap',
  ];
  const options = ['--name=warm-up', `--filename=${path}`, ...load, `--number_ios=${WARM_UP_REQUESTS}`];
  await bench.run(['fio', ...options], { directory: '/run/lab', timeoutSeconds: 300 });
}

async function prepareDisks({ sizeMiB, contenders, remappedDirectory }: PrepareArgs): Promise<BenchDisks> {
  const [shared, main, spare, remappedMain, remappedSpare] = await ramDisks(bench, 5, sizeMiB);
  await fill(shared!);
  if (contenders.includes('ublk, ours')) await fill(main!);
  if (remappedDirectory !== null) {
    await copy(`${remappedDirectory}/main.img`, remappedMain!);
    await copy(`${remappedDirectory}/spare.img`, remappedSpare!);
  }
  await bench.run(['sh', '-c', 'sync; echo 3 > /proc/sys/vm/drop_caches']);
  return {
    shared: shared!,
    ours: { main: main!, spare: spare! },
    oursRemapped: { main: remappedMain!, spare: remappedSpare! },
  };
}

/** A RAM disk has pages only where it was written to. */
async function fill(path: string): Promise<void> {
  const how = ['--name=fill', '--rw=write', '--bs=1M', '--ioengine=psync', '--direct=1', '--refill_buffers'];
  await bench.run(['fio', ...how, `--filename=${path}`], { directory: '/run/lab', timeoutSeconds: 300 });
}

async function copy(from: string, to: string): Promise<void> {
  await bench.run(['dd', `if=${from}`, `of=${to}`, 'bs=1M', 'oflag=direct', 'conv=sparse'], {
    timeoutSeconds: 300,
  });
}

function measure(_guest: Guest, { contender, row, ...plan }: MeasureArgs): Promise<Point> {
  const filename = paths.get(contender)!;
  return measurePoint({ ioengine: 'io_uring', filename, direct: 1 }, row, { ...plan, directory: '/run/lab' });
}

/** As `measure`, and how often each thread entered the kernel's io_uring per request. */
async function profile(guest: Guest, args: MeasureArgs): Promise<readonly string[]> {
  return countEnters(guest, paths.get(args.contender)!, () => measure(guest, args));
}

/** Answers with where our device thread spent its time, if it was started with a profile. */
async function finish(): Promise<readonly string[]> {
  await bench.undo();
  return profileOfDeviceThread(PROFILE_DIRECTORY);
}

const WARM_UP_REQUESTS = 30_000;
const PROFILE_DIRECTORY = '/run/lab/profile';
const PROFILING = [
  '--cpu-prof',
  `--cpu-prof-dir=${PROFILE_DIRECTORY}`,
  `--import=${fileURLToPath(new URL('./io-flusher.js', import.meta.url))}`,
];
