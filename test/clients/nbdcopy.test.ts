import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DiskImages } from '../support/disk-images.js';
import { sha256OfFile, writeRandomFile } from '../support/random-file.js';
import { lacksTools, runTool } from '../support/run-tool.js';
import { ServedDeviceProcess, TRANSPORTS } from '../support/served-device.js';

const SIZE_BYTES = 64 << 20;

describe.skipIf(lacksTools('nbdcopy'))('nbdcopy', () => {
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

  describe.each([
    { name: 'four connections, 64 requests each', options: ['--connections=4', '--requests=64'], seed: 11 },
    { name: 'one request at a time', options: ['--synchronous'], seed: 12 },
    { name: 'requests of 4 MiB', options: ['--request-size=4194304', '--requests=8'], seed: 13 },
  ])('with $name', ({ options, seed }) => {
    it.each(TRANSPORTS)('copies in and out over %s without changing a byte', async (transport) => {
      const source = images.path(`source-${seed}`);
      const copy = images.path(`copy-${seed}`);
      writeRandomFile(source, SIZE_BYTES, seed + (transport === 'tcp' ? 100 : 0));
      await runTool('nbdcopy', ['--flush', ...options, source, served.uris[transport]]);
      await runTool('nbdcopy', [...options, served.uris[transport], copy]);
      expect(await sha256OfFile(copy)).toBe(await sha256OfFile(source));
    });
  });

  it('leaves the plain data on the main device: it carries none of our bytes', async () => {
    const source = images.path('source-plain');
    writeRandomFile(source, SIZE_BYTES, 21);
    await runTool('nbdcopy', ['--flush', source, served.uris.unix]);
    expect(await sha256OfFile(images.mainPath)).toBe(await sha256OfFile(source));
  });

  it('turns a device into zeroes', async () => {
    const zeroes = images.path('zeroes');
    const copy = images.path('copy-zeroes');
    await runTool('truncate', ['-s', String(SIZE_BYTES), zeroes]);
    await runTool('nbdcopy', ['--flush', zeroes, served.uris.tcp]);
    await runTool('nbdcopy', [served.uris.unix, copy]);
    expect(await sha256OfFile(copy)).toBe(await sha256OfFile(zeroes));
  });
});
