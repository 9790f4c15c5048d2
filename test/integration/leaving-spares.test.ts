import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatSpares, openDevice } from '../../dist/library/index.js';

const MIB = 1 << 20;
let directory: string;
let main: string;
let spares: string[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dmr-'));
  main = imageOf('main.img', 8 * MIB);
  spares = [imageOf('a.img', 2 * MIB), imageOf('b.img', 2 * MIB)];
  await formatSpares({ main, spares });
});

afterEach(() => rmSync(directory, { recursive: true }));

describe('spares that are to take no units', () => {
  it('take none from the first moment on, as long as another one does', async () => {
    const device = await openDevice({ main, spares });
    const uuids = device.info.spares.map(({ uuid }) => uuid);
    await device.close();
    for (const [leavingSpares, places] of [
      [uuids.slice(0, 1), [1, 1]],
      [['of another set'], [0, 0]],
      [uuids, [0, 0]],
    ] as const) {
      const again = await openDevice({ main, spares, leavingSpares });
      await again.moveByHand({ firstSector: 800, sectorCount: 16 });
      const { remaps } = await again.remaps();
      expect(remaps.map(({ spareIndex }) => spareIndex)).toEqual(places);
      await again.giveBack({ firstSector: 800, sectorCount: 16 });
      await again.close();
    }
  });
});

function imageOf(name: string, sizeBytes: number): string {
  const path = join(directory, name);
  writeFileSync(path, '');
  truncateSync(path, sizeBytes);
  return path;
}
