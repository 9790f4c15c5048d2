import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { planFormat } from './format-spares.js';
import { unusedTailBytes, unusedTailText } from './unused-tail.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dmr-tail-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function image(name: string, sizeBytes: number): string {
  const path = join(directory, name);
  writeFileSync(path, '');
  truncateSync(path, sizeBytes);
  return path;
}

it('what an image has beyond whole blocks is told by the plan of a format', async () => {
  const spares = [image('spare', 2 << 20)];
  const odd = await planFormat({ main: image('odd', (2 << 20) + 612), spares });
  expect(odd).toMatchObject({ mainUnusedBytes: 100, main: { sizeBytes: (2 << 20) + 512 } });
  expect(await planFormat({ main: image('even', 2 << 20), spares })).toMatchObject({ mainUnusedBytes: 0 });
});

it('a block device, and what is not there, have no such end', () => {
  expect(unusedTailBytes('/dev/null', 512)).toBe(0);
  expect(unusedTailBytes(join(directory, 'none'), 512)).toBe(0);
  expect(unusedTailText('a.img', 0, 512)).toBeUndefined();
  expect(unusedTailText('a.img', 1, 4096)).toBe(
    'a.img: 1 byte at its end is not served: the device has whole blocks of 4096 bytes',
  );
});
