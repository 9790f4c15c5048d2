import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { dumpMetadata } from '../../dist/library/index.js';
import { ProtectedImages } from '../support/protected-images.js';

let images: ProtectedImages;

beforeEach(async () => {
  images = await ProtectedImages.create(8 << 20);
});

afterEach(() => images.remove());

it.each([
  'uring',
  'portable',
] as const)('an archive has what a dump says after a sector went bad, --io %s', async (io) => {
  const archive = images.path('maps');
  const faultsYaml = 'main:\n  - { sectors: "800-807", on: [read, write], error: ENODATA }\n';
  const device = await images.open({ io, faultsYaml, archive });
  await device.write(800 * 512, new Uint8Array(4096).fill(7), { durable: true });
  await device.close();
  const newest = readdirSync(archive).sort().at(-1)!;
  const text = readFileSync(`${archive}/${newest}`, 'utf8');
  expect(text).toContain('remap main=800 ');
  expect(text).toBe([...(await dumpMetadata([images.sparePath])).pieces].join(''));
});
