import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DiskImages } from '../support/disk-images.js';
import { sha256OfFile, writeRandomFile } from '../support/random-file.js';
import { lacksTools, runTool } from '../support/run-tool.js';
import { ServedDeviceProcess, TRANSPORTS } from '../support/served-device.js';

const SIZE_BYTES = 32 << 20;

describe.skipIf(lacksTools('nbdkit', 'nbdinfo', 'nbdcopy'))("nbdkit's nbd plugin in front", () => {
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

  /** Runs a shell command with `$uri` set to nbdkit's own server. */
  const behind = (uri: string, command: string) =>
    runTool('nbdkit', ['-U', '-', 'nbd', `uri=${uri}`, '--run', command]);

  it.each(TRANSPORTS)('passes the size and the abilities on, over %s', async (transport) => {
    const info = JSON.parse(await behind(served.uris[transport], 'nbdinfo --json "$uri"'));
    expect(info.exports[0]).toMatchObject({
      'export-size': SIZE_BYTES,
      can_flush: true,
      can_fua: true,
      can_trim: true,
      can_zero: true,
      can_multi_conn: true,
    });
  });

  it.each(TRANSPORTS)('carries data both ways over %s', async (transport) => {
    const source = images.path(`source-${transport}`);
    const copy = images.path(`copy-${transport}`);
    writeRandomFile(source, SIZE_BYTES, transport === 'tcp' ? 41 : 42);
    await behind(served.uris[transport], `nbdcopy --flush ${source} "$uri"`);
    await behind(served.uris[transport], `nbdcopy "$uri" ${copy}`);
    expect(await sha256OfFile(copy)).toBe(await sha256OfFile(source));
  });
});
