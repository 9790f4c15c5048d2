import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DiskImages } from '../support/disk-images.js';
import { lacksTools, tryTool } from '../support/run-tool.js';
import { ServedDeviceProcess, TRANSPORTS } from '../support/served-device.js';

const SIZE_BYTES = 64 << 20;

describe.skipIf(lacksTools('qemu-io'))('qemu-io', () => {
  let images: DiskImages;
  let served: ServedDeviceProcess;

  beforeAll(async () => {
    images = await DiskImages.create({ mainBytes: SIZE_BYTES, spareBytes: 16 << 20 });
    served = await ServedDeviceProcess.start(images);
  });

  afterAll(async () => {
    await served.stop();
    images.remove();
  });

  describe.each(TRANSPORTS)('over %s', (transport) => {
    const session = (...commands: string[]) => qemuIo(served.uris[transport], commands);

    beforeEach(async () => {
      expect(await session('write -P 0x11 0 1M', 'flush')).toEqual([]);
    });

    it('reads back patterns it wrote, also across unit borders', async () => {
      const problems = await session(
        'write -P 0x5a 3584 9216',
        'read -P 0x5a 3584 9216',
        'read -P 0x11 0 3584',
        'read -P 0x11 12800 4096',
        'write -P 0x77 512 512',
        'read -P 0x77 512 512',
        'read -P 0x11 1024 512',
      );
      expect(problems).toEqual([]);
    });

    it('notices a pattern that is not there', async () => {
      expect(await session('read -P 0x22 0 4096')).toEqual([
        expect.stringContaining('Pattern verification failed'),
      ]);
    });

    it('writes with FUA and flushes', async () => {
      expect(await session('write -f -P 0x33 8192 4096', 'flush', 'read -P 0x33 8192 4096')).toEqual([]);
    });

    it('zeroes, with and without giving up the space', async () => {
      const problems = await session(
        'write -z 4096 8192',
        'write -z -u 65536 131072',
        'write -z -f 262144 512',
        'read -P 0 4096 8192',
        'read -P 0 65536 131072',
        'read -P 0 262144 512',
        'read -P 0x11 0 4096',
        'read -P 0x11 12288 4096',
        'read -P 0x11 196608 4096',
        'read -P 0x11 262656 512',
      );
      expect(problems).toEqual([]);
    });

    it('discards without touching what is beside, and can write there again', async () => {
      const problems = await session(
        'discard 16384 65536',
        'read -P 0x11 0 16384',
        'read -P 0x11 81920 4096',
        'write -P 0x44 16384 65536',
        'read -P 0x44 16384 65536',
      );
      expect(problems).toEqual([]);
    });

    it('has many writes in flight at once', async () => {
      const writes = Array.from(
        { length: 64 },
        (_, index) => `aio_write -q -P ${index + 1} ${index * 12288} 12288`,
      );
      const reads = Array.from({ length: 64 }, (_, index) => `read -P ${index + 1} ${index * 12288} 12288`);
      expect(await session(...writes, 'aio_flush', ...reads)).toEqual([]);
    });

    it('reads and writes the last block, and the largest request', async () => {
      const last = SIZE_BYTES - 512;
      const problems = await session(
        `write -P 0x66 ${last} 512`,
        `read -P 0x66 ${last} 512`,
        'write -P 0x67 1M 32M',
        'read -P 0x67 1M 32M',
      );
      expect(problems).toEqual([]);
    });
  });
});

/** Runs commands in one session and gives what went wrong, by the lines that say so. */
async function qemuIo(uri: string, commands: readonly string[]): Promise<string[]> {
  const args = ['-f', 'raw', ...commands.flatMap((command) => ['-c', command]), uri];
  const outcome = await tryTool('qemu-io', args);
  const problems = `${outcome.stdout}${outcome.stderr}`
    .split('\n')
    .filter((line) => /failed|error|invalid|unknown|mismatch|can't open/i.test(line));
  return outcome.status === 0 || problems.length > 0
    ? problems
    : [`status ${outcome.status}, ${outcome.signal}`];
}
