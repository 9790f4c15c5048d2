import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { seal } from '../format/sealed-block.js';
import { checkMetadata } from './check-metadata.js';
import { formatSpares } from './format-spares.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dmr-check-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

it('A set with a feature that a newer program needs is told as a start tells it, though all of it is whole', async () => {
  const [main, spare] = ['main', 'spare'].map((name) => {
    const path = join(directory, name);
    writeFileSync(path, '');
    truncateSync(path, 2 << 20);
    return path;
  }) as [string, string];
  const { copies } = await formatSpares({ main, spares: [spare] });
  const image = new Uint8Array(readFileSync(spare));
  for (const { offsetBytes } of copies) {
    const block = image.subarray(offsetBytes + 4096, offsetBytes + 8192);
    block[20] = 1;
    seal(block);
  }
  writeFileSync(spare, image);
  const { state, problem } = await checkMetadata([spare]);
  expect(state).toBe('clean');
  expect(problem).toMatchObject({ failure: 'metadata', message: expect.stringContaining('newer dm-remap') });
});
