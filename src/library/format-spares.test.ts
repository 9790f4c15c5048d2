import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { formatSpares } from './format-spares.js';
import { inspectSpares } from './inspect-spares.js';

/** What somebody else does when the spares were looked at, and before they are opened for writing. */
let meanwhile: (() => Promise<unknown>) | undefined;
vi.mock('./examine-spares.js', async (original) => {
  const real = await original<typeof import('./examine-spares.js')>();
  const examineSpares: typeof real.examineSpares = async (...args) => {
    const examined = await real.examineSpares(...args);
    const act = meanwhile;
    meanwhile = undefined;
    await act?.();
    return examined;
  };
  return { ...real, examineSpares };
});

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dmr-format-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

it('Of two formats that found a spare blank at the same time, the later one is refused', async () => {
  const [main, spare] = ['main', 'spare'].map((name) => {
    const path = join(directory, name);
    writeFileSync(path, '');
    truncateSync(path, 2 << 20);
    return path;
  }) as [string, string];
  const options = { main, spares: [spare] };
  let first: string | undefined;
  meanwhile = async () => {
    first = (await formatSpares(options)).setId;
  };
  await expect(formatSpares(options)).rejects.toMatchObject({
    failure: 'refused',
    message: `${spare}: changed since the plan was made; nothing was written`,
  });
  expect((await inspectSpares([spare])).setId).toBe(first);
});
