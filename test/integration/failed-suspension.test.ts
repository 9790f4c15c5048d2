import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { formatSpares, openDevice } from '../../dist/library/index.js';

const MIB = 1 << 20;
let directory: string;
let main: string;
let spares: string[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dmr-'));
  main = imageOf('main.img', 8 * MIB);
  spares = [imageOf('spare.img', 2 * MIB)];
  await formatSpares({ main, spares });
});

afterEach(() => rmSync(directory, { recursive: true }));

it('A suspension whose flush fails is taken back, unless it was there before', async () => {
  const faults = join(directory, 'faults.yaml');
  writeFileSync(faults, 'main:\n  - { on: [flush], error: EIO, times: 2 }\n');
  const device = await openDevice({ main, spares, faults });
  await device.write(0, new Uint8Array(4096).fill(1));
  await expect(device.suspend({ flush: true })).rejects.toMatchObject({ failure: 'io' });
  expect((await device.status()).suspended).toBe(false);
  await device.write(0, new Uint8Array(4096).fill(2));
  expect(await device.suspend({ flush: false })).toBe(true);
  await expect(device.suspend({ flush: true })).rejects.toMatchObject({ failure: 'io' });
  expect((await device.status()).suspended).toBe(true);
  expect(await device.resume()).toBe(true);
  await device.close();
});

function imageOf(name: string, sizeBytes: number): string {
  const path = join(directory, name);
  writeFileSync(path, '');
  truncateSync(path, sizeBytes);
  return path;
}
