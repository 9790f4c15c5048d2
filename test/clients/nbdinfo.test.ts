import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DiskImages } from '../support/disk-images.js';
import { lacksTools, runTool } from '../support/run-tool.js';
import { ServedDeviceProcess, TRANSPORTS } from '../support/served-device.js';

const MIB = 1 << 20;

describe.skipIf(lacksTools('nbdinfo'))('nbdinfo', () => {
  let images: DiskImages;
  let served: ServedDeviceProcess;

  beforeAll(async () => {
    images = await DiskImages.create({ mainBytes: 64 * MIB, spareBytes: 16 * MIB });
    served = await ServedDeviceProcess.start(images);
  });

  afterAll(async () => {
    await served.stop();
    images.remove();
  });

  describe.each(TRANSPORTS)('over %s', (transport) => {
    it('is told the size, what the export can do and how large blocks are', async () => {
      const info = JSON.parse(await runTool('nbdinfo', ['--json', served.uris[transport]]));
      expect(info).toMatchObject({ protocol: 'newstyle-fixed', TLS: false, structured: true });
      expect(info.exports).toHaveLength(1);
      expect(info.exports[0]).toMatchObject({
        'export-size': images.mainBytes,
        is_read_only: false,
        can_flush: true,
        can_fua: true,
        can_trim: true,
        can_zero: true,
        can_multi_conn: true,
        can_df: true,
        block_size_minimum: 512,
      });
      expect(info.exports[0].contexts).toEqual(
        expect.arrayContaining(['base:allocation', 'x-dm-remap:state']),
      );
    });

    it('lists exactly one export', async () => {
      const list = JSON.parse(await runTool('nbdinfo', ['--list', '--json', served.uris[transport]]));
      expect(list.exports).toHaveLength(1);
      expect(list.exports[0]['export-size']).toBe(images.mainBytes);
    });

    it.each([
      'base:allocation',
      'x-dm-remap:state',
    ])('gets a map of %s that covers the device', async (context) => {
      const map = await runTool('nbdinfo', ['--json', `--map=${context}`, served.uris[transport]]);
      expect(endOfMap(JSON.parse(map))).toBe(images.mainBytes);
    });
  });

  it('sees no remap and nothing lost on healthy devices', async () => {
    const map = await runTool('nbdinfo', ['--json', '--map=x-dm-remap:state', served.uris.unix]);
    expect((JSON.parse(map) as Extent[]).every((extent) => extent.type === 0)).toBe(true);
  });

  it('is refused an export that does not exist, and the server goes on', async () => {
    const uri = served.uris.unix.replace('///', '///nothing-here');
    await expect(runTool('nbdinfo', [uri])).rejects.toThrow(/nothing-here|export/);
    expect((await runTool('nbdinfo', ['--size', served.uris.unix])).trim()).toBe(String(images.mainBytes));
  });
});

interface Extent {
  readonly offset: number;
  readonly length: number;
  readonly type: number;
}

/** Where a map without gaps ends. */
function endOfMap(extents: readonly Extent[]): number {
  return extents.reduce((end, extent) => {
    expect(extent.offset).toBe(end);
    expect(extent.length).toBeGreaterThan(0);
    return end + extent.length;
  }, 0);
}
