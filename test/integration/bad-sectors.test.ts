import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { BlockModel } from '../../src/device/testing/block-model.js';
import { DiskImages } from '../support/disk-images.js';
import { NbdWorkload } from '../support/nbd-workload.js';
import { ServedDeviceProcess } from '../support/served-device.js';
import { xorshift } from '../support/xorshift.js';

const BLOCK_BYTES = 512;

/** Thousands of bad sectors of every kind; answers the scenario and the blocks that can't be read from the start. */
function plantFaults(
  seed: number,
  blockCount: number,
  placeCount: number,
): { readonly yaml: string; readonly unreadable: ReadonlySet<number> } {
  const random = xorshift(seed);
  const ranges = {
    permanent: [] as string[],
    ambiguous: [] as string[],
    pending: [] as string[],
    slow: [] as string[],
  };
  const transient: string[] = [];
  const unreadable = new Set<number>();
  for (let place = 0; place < placeCount; place += 1) {
    const first = random() % (blockCount - 8);
    const last = first + (random() % 4);
    const kind = random() % 8;
    const text = `${first}-${last}`;
    if (kind < 3) ranges.permanent.push(text);
    else if (kind === 3) ranges.ambiguous.push(text);
    else if (kind < 7) ranges.pending.push(text);
    else if (transient.length < 100)
      transient.push(`  - { sectors: "${first}", on: [read], error: EIO, times: 2 }`);
    if (kind < 7) for (let block = first; block <= last; block += 1) unreadable.add(block);
  }
  ranges.slow.push('12000-12063');
  const yaml = [
    'main:',
    `  - { sectors: "${ranges.permanent.join(',')}", on: [read, write], error: ENODATA }`,
    `  - { sectors: "${ranges.ambiguous.join(',')}", on: [read, write], error: EIO }`,
    `  - { sectors: "${ranges.pending.join(',')}", on: [read], error: ENODATA, healsOnWrite: true }`,
    `  - { sectors: "${ranges.slow.join(',')}", on: [read, write], delayMs: 20 }`,
    ...transient,
    'spare:',
    '  - { sectors: "2048-2060,9000-9003", on: [write], error: EIO }',
  ].join('\n');
  return { yaml: `${yaml}\n`, unreadable };
}

const SCALES = [
  { io: 'uring', mainBytes: 32 << 20, placeCount: 1500 },
  { io: 'portable', mainBytes: 12 << 20, placeCount: 400 },
] as const;

describe.each(SCALES)('dmremap run --io $io over $placeCount bad places', ({ io, mainBytes, placeCount }) => {
  const blockCount = mainBytes / BLOCK_BYTES;
  let images: DiskImages | undefined;
  let served: ServedDeviceProcess | undefined;

  afterEach(async () => {
    await served?.kill();
    images?.remove();
  });

  it('shows no write error and no wrong byte, through kill -9 at random moments', async () => {
    const seed = io === 'uring' ? 20261 : 20262;
    const random = xorshift(seed);
    const { yaml, unreadable } = plantFaults(seed, blockCount, placeCount);
    images = await DiskImages.create({
      mainBytes,
      spareBytes: 32 << 20,
      directory: '/dev/shm',
      fillMain: (path) => NbdWorkload.fillImage(path, blockCount),
    });
    const faultsPath = images.path('faults.yaml');
    writeFileSync(faultsPath, yaml);
    const model = new BlockModel(blockCount, unreadable, (block) => block + 1);
    const workload = new NbdWorkload(model, blockCount, seed);
    for (let round = 0; round < 6; round += 1) {
      served = await ServedDeviceProcess.start(images, { faultsPath, io });
      const killing = new Promise<void>((resolve) => {
        setTimeout(resolve, 300 + (random() % 1200));
      }).then(() => served!.kill());
      await workload.runUntilGone(images.path('nbd.sock'), 16);
      await killing;
    }
    served = await ServedDeviceProcess.start(images, { faultsPath, io });
    await workload.run(images.path('nbd.sock'), 16, 3000);
    await workload.verifyAll(images.path('nbd.sock'));
    await served.stop();
    expect(workload.writeErrors).toEqual([]);
    expect(workload.verifiedBlocks).toBeGreaterThan(blockCount / 2);
    expect(workload.lostBlocks.size).toBeGreaterThan(0);
    expect(readFileSync(`${faultsPath}.healed`, 'utf8')).not.toBe('');
  });
});
