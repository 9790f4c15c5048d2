import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DiskImages } from '../support/disk-images.js';
import { writeRandomFile } from '../support/random-file.js';
import { lacksTools, runTool, tryTool } from '../support/run-tool.js';
import { ServedDeviceProcess, TRANSPORTS } from '../support/served-device.js';

const SIZE_BYTES = 64 << 20;

describe.skipIf(lacksTools('qemu-img'))('qemu-img', () => {
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
    it('sees a raw disk of the right size', async () => {
      const text = await runTool('qemu-img', ['info', '--output=json', served.uris[transport]]);
      expect(JSON.parse(text)).toMatchObject({ format: 'raw', 'virtual-size': SIZE_BYTES });
    });

    it('converts a file onto the device and finds both alike', async () => {
      const source = images.path(`source-${transport}`);
      writeRandomFile(source, SIZE_BYTES, transport === 'tcp' ? 31 : 32);
      await runTool('qemu-img', [
        'convert',
        '-n',
        '-f',
        'raw',
        '-O',
        'raw',
        '-W',
        source,
        served.uris[transport],
      ]);
      await runTool('qemu-img', ['compare', '-f', 'raw', '-F', 'raw', source, served.uris[transport]]);
    });

    it('converts the device into a qcow2 file and finds both alike', async () => {
      const target = images.path(`${transport}.qcow2`);
      await runTool('qemu-img', [
        'convert',
        '-f',
        'raw',
        '-O',
        'qcow2',
        '-m',
        '16',
        served.uris[transport],
        target,
      ]);
      await runTool('qemu-img', ['compare', '-f', 'raw', '-F', 'qcow2', served.uris[transport], target]);
    });
  });

  it('finds the difference when there is one', async () => {
    const other = images.path('other');
    writeRandomFile(other, SIZE_BYTES, 99);
    const outcome = await tryTool('qemu-img', ['compare', '-f', 'raw', '-F', 'raw', other, served.uris.unix]);
    expect(outcome.status).toBe(1);
    expect(outcome.stdout).toContain('Content mismatch');
  });

  it('gets a map that covers the device', async () => {
    const text = await runTool('qemu-img', ['map', '--output=json', '-f', 'raw', served.uris.unix]);
    const extents = JSON.parse(text) as { start: number; length: number }[];
    expect(extents.reduce((end, { start, length }) => (start === end ? end + length : Number.NaN), 0)).toBe(
      SIZE_BYTES,
    );
  });
});
