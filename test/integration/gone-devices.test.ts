import { copyFileSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DeviceNotice, ProtectedDevice } from '../../dist/library/index.js';
import { ProtectedImages } from '../support/protected-images.js';

const MIB = 1 << 20;
const MAIN_BYTES = 8 * MIB;
const BAD_WRITES = 'main:\n  - { sectors: "8-15", on: [write], error: ENODATA }\n';

function filled(lengthBytes: number, value: number): Uint8Array {
  return new Uint8Array(lengthBytes).fill(value);
}

/** No two blocks alike, and none blank. */
function telling(lengthBytes: number): Uint8Array {
  const bytes = new Uint8Array(lengthBytes);
  for (let at = 0; at < lengthBytes; at += 512) bytes.fill(at >>> 9, at, at + 500);
  return bytes;
}

/** An image file that is cut to nothing answers like a disk that has vanished: reads end at once. */
describe.each([
  ['io_uring on a disk', 'uring', tmpdir()],
  ['plain file calls', 'portable', undefined],
] as const)('an image that vanishes under a device by %s', (_name, io, parent) => {
  let images: ProtectedImages;
  let notices: DeviceNotice[];

  beforeEach(async () => {
    images = await ProtectedImages.create(MAIN_BYTES, 4 * MIB, parent);
    notices = [];
  });
  afterEach(() => images.remove());

  function open(options: { onGone?: string; faultsYaml?: string } = {}): Promise<ProtectedDevice> {
    return images.open({ io, onEvent: (notice) => notices.push(notice), ...options });
  }

  async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
    for (let left = 500; !(await isSo()); left -= 1) {
      if (left === 0) throw new Error('still not so after 10 seconds');
      await delay(20);
    }
  }

  function said(event: string): DeviceNotice | undefined {
    return notices.find((notice) => notice.event === event);
  }

  it('comes back as another file with the same contents, in the same descriptor, and the read that waited is done', async () => {
    writeFileSync(images.mainPath, telling(MAIN_BYTES));
    const device = await open();
    await until(async () => (await device.status()).recognisedBy === 'contents');
    await device.write(2 * MIB, filled(MIB, 9));
    copyFileSync(images.mainPath, images.path('copy.img'));
    truncateSync(images.mainPath, 0);
    const read = device.read(2 * MIB, 8192);
    await until(async () => (await device.status()).gone[0]?.heldRequests === 1);
    expect((await device.status()).gone).toMatchObject([
      { path: images.mainPath, spareIndex: null, requestsWait: true },
    ]);
    renameSync(images.path('copy.img'), images.mainPath);
    expect(await read).toEqual(filled(8192, 9));
    expect(said('reconnected')?.details.path).toBe(images.mainPath);
    await device.write(3 * MIB, filled(4096, 10));
    await expect(device.flush(), 'the first write may have been lost').rejects.toThrow('EIO');
    await device.flush();
    await device.close();
    const again = await open();
    expect(await again.read(3 * MIB, 4096)).toEqual(filled(4096, 10));
    await again.close();
  });

  it('is refused as another file with other contents, and a stop does not hang', async () => {
    writeFileSync(images.mainPath, telling(MAIN_BYTES));
    const device = await open({ onGone: 'hold' });
    await until(async () => (await device.status()).recognisedBy === 'contents');
    const other = telling(MAIN_BYTES);
    other.fill(1, MAIN_BYTES - 4096);
    writeFileSync(images.path('other.img'), other);
    truncateSync(images.mainPath, 0);
    renameSync(images.path('other.img'), images.mainPath);
    const read = device.read(2 * MIB, 8192).catch((error: Error) => error.message);
    await until(() => said('returnRefused') !== undefined);
    expect(said('returnRefused')?.details.refusal).toBe('contentDiffers');
    await expect(device.close()).rejects.toThrow('not cleanly');
    expect(await read).toContain('EIO');
  });

  it('comes back as a spare', async () => {
    const device = await open({ faultsYaml: BAD_WRITES });
    await device.write(4096, filled(4096, 3));
    await device.flush();
    copyFileSync(images.sparePath, images.path('copy.img'));
    truncateSync(images.sparePath, 0);
    const read = device.read(4096, 4096);
    await until(async () => (await device.status()).gone.length > 0);
    renameSync(images.path('copy.img'), images.sparePath);
    expect(await read).toEqual(filled(4096, 3));
    expect(said('spareBack')).toBeDefined();
    await device.close();
    const again = await open();
    expect(await again.read(4096, 4096)).toEqual(filled(4096, 3));
    await again.close();
  });

  it('for good, while it is copied: what was copied is read, and can take over when somebody accepts the loss', async () => {
    writeFileSync(images.mainPath, telling(MAIN_BYTES));
    const target = images.file('target.img', MAIN_BYTES);
    const slowEnd = 'main:\n  - { sectors: "12288-16383", on: [read], delayMs: 5000 }\n';
    const device = await open({ onGone: 'hold', faultsYaml: slowEnd });
    await expect(device.acceptEvacuationLoss()).rejects.toThrow('nothing is being copied');
    await device.evacuate(target);
    await expect(device.acceptEvacuationLoss()).rejects.toThrow('can be read');
    await until(async () => (await device.evacuation())!.copiedBytes >= 6 * MIB);
    truncateSync(images.mainPath, 0);
    const saved = telling(MAIN_BYTES).subarray(0, 6 * MIB);
    expect(Buffer.compare(await device.read(0, 6 * MIB), saved)).toBe(0);
    await until(async () => (await device.evacuation())!.isWaiting);
    await device.acceptEvacuationLoss();
    await until(async () => (await device.evacuation())!.state === 'copied');
    await expect(device.read(7 * MIB, 512)).rejects.toThrow('EIO');
    await device.write(7 * MIB, filled(4096, 7));
    expect(await device.read(7 * MIB, 4096)).toEqual(filled(4096, 7));
    expect(await device.handOver()).toEqual({ isEvacuated: true });
    expect(Buffer.compare(readFileSync(target).subarray(0, 6 * MIB), saved)).toBe(0);
  });

  it('is not waited for with "fail", and an unknown policy is refused', async () => {
    const device = await open({ onGone: 'fail' });
    truncateSync(images.mainPath, 0);
    await expect(device.read(2 * MIB, 8192)).rejects.toThrow('EIO');
    expect((await device.status()).onGone).toBe('fail');
    await device.close().catch(() => undefined);
    await expect(open({ onGone: 'hold:0' })).rejects.toThrow('hold:SECONDS');
  });
});
