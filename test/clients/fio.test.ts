import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DiskImages } from '../support/disk-images.js';
import { RawNbd } from '../support/raw-nbd.js';
import { lacksTools, runTool } from '../support/run-tool.js';
import type { Transport } from '../support/served-device.js';
import { ServedDeviceProcess, TRANSPORTS } from '../support/served-device.js';
import { fioVerify } from './fio-verify.js';

const MIB = 1 << 20;

describe.skipIf(lacksTools('fio', 'nbdinfo'))('fio', () => {
  describe.each(['uring', 'portable'] as const)('on %s I/O', (io) => {
    let images: DiskImages;
    let served: ServedDeviceProcess;

    beforeAll(async () => {
      images = await DiskImages.create({ mainBytes: 64 * MIB, spareBytes: 16 * MIB });
      served = await ServedDeviceProcess.start(images, { io });
    });

    afterAll(async () => {
      await served.stop();
      images.remove();
    });

    const verify = (transport: Transport, plan: Parameters<typeof fioVerify>[2]) =>
      fioVerify(served.uris[transport], images.directory, plan);

    it.each(
      TRANSPORTS,
    )('finds every block as it wrote it: 4 KiB, 4 jobs at depth 16, over %s', async (transport) => {
      await verify(transport, { blockBytes: 4096, depth: 16, jobs: 4, bytesPerJob: 8 * MIB, seed: 1 });
    });

    it('finds every block as it wrote it: 512 bytes', async () => {
      await verify('unix', { blockBytes: 512, depth: 32, jobs: 2, bytesPerJob: MIB, seed: 2 });
    });

    it('finds every block as it wrote it: 1 MiB', async () => {
      await verify('unix', { blockBytes: MIB, depth: 8, jobs: 2, bytesPerJob: 24 * MIB, seed: 3 });
    });

    it.each(TRANSPORTS)('is served on 64 connections at once over %s', async (transport) => {
      await verify(transport, { blockBytes: 4096, depth: 4, jobs: 64, bytesPerJob: 512 << 10, seed: 4 });
    });
  });

  it('is served while 64 others are connected and say nothing', async () => {
    const images = await DiskImages.create({ mainBytes: 16 * MIB, spareBytes: 16 * MIB });
    const served = await ServedDeviceProcess.start(images);
    const silent = await Promise.all(
      Array.from({ length: 64 }, (_, index) =>
        index % 2 === 0 ? RawNbd.connect(served.uris.tcp) : RawNbd.transmitting(served.uris.unix),
      ),
    );
    await fioVerify(served.uris.tcp, images.directory, {
      blockBytes: 4096,
      depth: 16,
      jobs: 4,
      bytesPerJob: 2 * MIB,
      seed: 5,
    });
    expect((await runTool('nbdinfo', ['--size', served.uris.unix])).trim()).toBe(String(16 * MIB));
    for (const client of silent) client.destroy();
    await served.stop();
    images.remove();
  });
});
