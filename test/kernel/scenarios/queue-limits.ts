import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { ramDisks } from '../lab/guest/brd.js';
import { diskPath } from '../lab/guest/disks.js';
import { dmremap, serve } from '../lab/guest/dmremap.js';
import { expect, expectEqual } from '../lab/guest/expect.js';
import type { Guest } from '../lab/guest/guest.js';
import { NullBlock } from '../lab/guest/null-block.js';
import { PatternFile } from '../lab/guest/pattern-file.js';
import { ScsiDebug } from '../lab/guest/scsi-debug.js';
import { scenario } from '../lab/scenario.js';

export default scenario({
  name: 'queue-limits',
  about:
    'A ublk device says of blocks, cache, discard and rotation what its main device says; discard, zeroes and FUA arrive. One that was made without a cache, and has a disk with one later, makes each write durable.',
  kernels: ['6.12'],
  disks: { cached: { sizeMiB: 16, isVolatile: true } },
  steps: {
    async main(guest) {
      const [spare] = await ramDisks(guest, 1, 32);
      const cached = await NullBlock.create(guest, 'nullb-cached', {
        sizeMiB: 64,
        attributes: { discard: 1, cache_size: 8 },
      });
      await compare(guest, cached.path, spare!, { cache: 'write back', canDiscard: true });
      const scsi = await ScsiDebug.create(guest, {
        sizeMiB: 64,
        blockBytes: 4096,
        parameters: ['lbpu=1', 'lbpws=1'],
      });
      await compare(guest, scsi.path, spare!, { cache: limitOf(scsi.path, 'write_cache'), canDiscard: true });
      await getsCacheLater(guest, diskPath('cached'), spare!);
    },
  },
});

async function compare(
  guest: Guest,
  main: string,
  spare: string,
  expected: { cache: string; canDiscard: boolean },
): Promise<void> {
  await dmremap(guest, ['format', '--main', main, '--spare', spare, '--yes', '--force']);
  const served = await serve(guest, { main, spares: [spare], frontend: 'ublk' });
  for (const limit of SAME)
    expectEqual(limitOf(served.path, limit), limitOf(main, limit), `${limit} over ${main}`);
  expectEqual(limitOf(served.path, 'write_cache'), expected.cache, `write_cache over ${main}`);
  expectEqual(
    Number(limitOf(served.path, 'discard_max_bytes')) > 0,
    expected.canDiscard,
    `discard over ${main}`,
  );
  const most = Number(limitOf(served.path, 'max_sectors_kb'));
  expect(most <= Number(limitOf(main, 'max_hw_sectors_kb')), `max_sectors_kb ${most} over ${main}`);
  await useRanges(guest, served.path);
  await served.stop();
}

/** The kernel goes on to send no flushes, whatever the set is made of by then. */
async function getsCacheLater(guest: Guest, main: string, spare: string): Promise<void> {
  const say = (type: string): void => guest.write(`/sys/block/${basename(main)}/queue/write_cache`, type);
  await dmremap(guest, ['format', '--main', main, '--spare', spare, '--yes', '--force']);
  say('write through');
  const before = await serve(guest, { main, spares: [spare], frontend: 'ublk' });
  expectEqual(limitOf(before.path, 'write_cache'), 'write through', 'write_cache over disks without');
  await before.crash();
  say('write back');
  const served = await serve(guest, { main, spares: [spare], frontend: 'ublk' });
  expectEqual(limitOf(served.path, 'write_cache'), 'write through', 'write_cache of a device taken over');
  expect(served.program.stderr.includes('neverFlushed'), 'the log tells of it');
  const file = await PatternFile.open(served.path);
  const flushCount = flushCountOf(main);
  for (let sector = 0; sector < 64; sector += 8) await file.write(sector, 8, 2);
  expect(flushCountOf(main) >= flushCount + 8, 'each write is flushed');
  await file.expect(0, 64, 2);
  await file.close();
  await served.stop();
}

/** Flushes that a disk has ended: the 16th number of Documentation/block/stat.rst. */
function flushCountOf(path: string): number {
  const text = readFileSync(`/sys/block/${path.replace('/dev/', '')}/stat`, 'utf8');
  return Number(text.trim().split(/\s+/)[15]);
}

/** Every kind of request that the block layer sends: what was zeroed reads as zeroes, neighbours stay. */
async function useRanges(guest: Guest, path: string): Promise<void> {
  const file = await PatternFile.open(path);
  await file.writeAll(0, 4096, 1);
  await guest.run([
    'blkdiscard',
    '--zeroout',
    '--offset',
    String(1 << 20),
    '--length',
    String(64 << 10),
    path,
  ]);
  // A disk that can't zero without data can't punch holes: the kernel then writes zeroes for the first only.
  const zeroes = offers(path, 'write_zeroes_max_bytes')
    ? ['fallocate', '--punch-hole']
    : ['blkdiscard', '--zeroout'];
  await guest.run([...zeroes, '--offset', String(1 << 19), '--length', '8192', path]);
  await guest.run(['blkdiscard', '--offset', String(3 << 19), '--length', String(128 << 10), path]);
  await guest.run([
    ...['dd', 'if=/dev/zero', `of=${path}`, 'bs=4096', 'count=1', 'oflag=direct,dsync', 'conv=notrunc'],
  ]);
  await file.flush();
  for (const [first, count] of [
    [0, 8],
    [1024, 16],
    [2048, 128],
  ] as const)
    for (const contents of await file.read(first, count))
      expectEqual(contents.kind, 'zeroes', 'what was zeroed');
  await file.expect(8, 1016, 1);
  await file.expect(1040, 1008, 1);
  await file.expect(2176, 896, 1);
  await file.expect(3328, 768, 1);
  await file.close();
}

function limitOf(path: string, limit: string): string {
  return readFileSync(`/sys/block/${path.replace('/dev/', '')}/queue/${limit}`, 'utf8').trim();
}

function offers(path: string, limit: string): boolean {
  return Number(limitOf(path, limit)) > 0;
}

const SAME = [
  'logical_block_size',
  'physical_block_size',
  'rotational',
  'discard_granularity',
  'minimum_io_size',
];
