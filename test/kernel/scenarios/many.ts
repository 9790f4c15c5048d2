import { constants, readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ramDisks } from '../lab/guest/brd.js';
import { type Served, serve } from '../lab/guest/dmremap.js';
import { expect, expectEqual } from '../lab/guest/expect.js';
import type { Guest } from '../lab/guest/guest.js';
import { leftovers } from '../lab/guest/leftovers.js';
import { PatternFile } from '../lab/guest/pattern-file.js';
import { formatSet } from '../lab/guest/set-metadata.js';
import { useDevice } from '../lab/guest/use-device.js';
import { scenario } from '../lab/scenario.js';

export default scenario({
  name: 'many',
  about:
    'A device is opened, used and closed again and again (200 times in one process, 6 times as a program), and 32 are there at once: nothing is left behind, in the process or on the machine.',
  kernels: ['6.12'],
  notInSuite: 'takes half an hour on a busy machine; the suite shall end in 30 minutes',
  memoryMiB: 6_144,
  timeoutSeconds: 3_600,
  steps: {
    async main(guest) {
      const disks = await ramDisks(guest, 2 * DEVICES, 2);
      const pairs = Array.from({ length: DEVICES }, (_, index) => ({
        main: disks[2 * index]!,
        spares: [disks[2 * index + 1]!],
      }));
      const [{ main, spares }] = pairs as [(typeof pairs)[0]];
      await guest.modprobe('ublk_drv');
      await guest.modprobe('nbd');
      await formatSet({ main, spares });
      const before = leftovers();
      await inOneProcess(guest, main, spares[0]!);
      expectEqual(leftovers(), before, 'what the one process has left');
      for (const [cycle, frontend] of PROGRAM_CYCLES.entries())
        await useDevice(guest, { main, spares, frontend }, async (file) => {
          await file.write(0, 8, cycle);
          await file.flush();
          await file.expect(0, 8, cycle);
        });
      expectEqual(leftovers(), before, 'what the programs have left');
      await allAtOnce(guest, pairs);
      expectEqual(leftovers(), before, 'what all devices have left');
      for (const path of disks) await openAlone(path);
    },
  },
});

/**
 * Files and threads may not grow at all. For every thread that ever called a foreign function, koffi 3.3.4 keeps a
 * stack and a heap (3 MiB of addresses in 3 or 4 mappings, hardly any memory).
 */
async function inOneProcess(guest: Guest, main: string, spare: string): Promise<void> {
  const program = guest.start([
    'node',
    '--expose-gc',
    LOOP,
    main,
    spare,
    String(WARM_UP_CYCLES),
    String(LIBRARY_CYCLES),
  ]);
  const { status } = await program.finish(3_000);
  if (status !== 0) throw program.failure(`ended with status ${status}`);
  guest.say(program.stdout.trim());
  const [early, late] = program.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line.replace('held ', '')) as Held);
  expectEqual(
    { ...late!, mappings: 0, residentKiB: 0 },
    { ...early!, mappings: 0, residentKiB: 0 },
    'files and threads held',
  );
  const cycles = LIBRARY_CYCLES - WARM_UP_CYCLES;
  expect(late!.mappings - early!.mappings <= 4 * cycles, 'mappings grow by no more than what koffi keeps');
  expect(late!.residentKiB - early!.residentKiB < 300 * cycles, 'memory does not grow with every cycle');
}

interface Held {
  readonly files: number;
  readonly threads: number;
  readonly mappings: number;
  readonly residentKiB: number;
}

/** All are there, have contents of their own, and go. */
async function allAtOnce(guest: Guest, pairs: readonly { main: string; spares: string[] }[]): Promise<void> {
  const memoryBefore = availableMiB();
  const served = await inBatches(pairs, async (pair, index) => {
    if (index > 0) await formatSet(pair);
    return serve(guest, { ...pair, frontend: 'ublk' });
  });
  expectEqual(new Set(served.map(({ path }) => path)).size, pairs.length, 'block devices');
  guest.say(`${pairs.length} devices take ${memoryBefore - availableMiB()} MiB`);
  const files = await Promise.all(served.map(({ path }) => PatternFile.open(path)));
  await Promise.all(files.map((file, index) => file.writeAll(0, SECTORS, 100 + index)));
  await Promise.all(files.map((file) => file.flush()));
  await Promise.all(files.map((file, index) => file.expect(0, SECTORS, 100 + index)));
  await Promise.all(files.map((file) => file.close()));
  await inBatches(served, (one: Served) => one.stop());
  writeFileSync('/proc/sys/vm/drop_caches', '3');
  const lostMiB = memoryBefore - availableMiB();
  guest.say(`${lostMiB} MiB less are available afterwards`);
  // The disks are memory too: what was written to them stays.
  expect(lostMiB < 2 * DEVICES * 2 + 64, `memory that did not come back: ${lostMiB} MiB`);
}

/** So many processes start or end at a time: emulated processors are slow. */
async function inBatches<Item, Value>(
  items: readonly Item[],
  work: (item: Item, index: number) => Promise<Value>,
): Promise<Value[]> {
  const values: Value[] = [];
  for (let first = 0; first < items.length; first += 4) {
    const batch = items.slice(first, first + 4).map((item, index) => work(item, first + index));
    values.push(...(await Promise.all(batch)));
  }
  return values;
}

/** Fails with EBUSY if anything in the kernel or elsewhere still holds it exclusively. */
async function openAlone(path: string): Promise<void> {
  await (await open(path, constants.O_RDWR | constants.O_EXCL)).close();
}

function availableMiB(): number {
  const line = /^MemAvailable: +(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'));
  return Math.round(Number(line![1]) / 1_024);
}

const DEVICES = 32;
const SECTORS = 2_048;
const WARM_UP_CYCLES = 8;
const LIBRARY_CYCLES = 200;
const PROGRAM_CYCLES = ['ublk', 'nbd', 'ublk', 'nbd', 'ublk', 'nbd'] as const;
const LOOP = fileURLToPath(new URL('../programs/library-loop.js', import.meta.url));
