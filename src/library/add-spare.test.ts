import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { addSpare } from './add-spare.js';
import { formatSpares } from './format-spares.js';
import { inspectSpares } from './inspect-spares.js';
import { removeSpare } from './remove-spare.js';

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
  directory = mkdtempSync(join(tmpdir(), 'dmr-add-spare-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

it('A device that became the spare of another set in the meantime is refused, and stays that', async () => {
  const [main, spare, otherMain, otherSpare, device] = ['m', 's', 'om', 'os', 'd'].map((name) => {
    const path = join(directory, name);
    writeFileSync(path, '');
    truncateSync(path, 2 << 20);
    return path;
  }) as [string, string, string, string, string];
  await formatSpares({ main, spares: [spare] });
  const other = await formatSpares({ main: otherMain, spares: [otherSpare] });
  meanwhile = () => addSpare({ main: otherMain, spares: [otherSpare], device });
  await expect(addSpare({ main, spares: [spare], device })).rejects.toMatchObject({
    failure: 'refused',
    message: `${device}: changed since the plan was made; nothing was written`,
  });
  expect((await inspectSpares([otherSpare, device])).setId).toBe(other.setId);
  expect((await inspectSpares([spare])).spares).toHaveLength(1);
});

it('Once the set has the spare, or has it no more, whoever asked hears so, and what failed after that', async () => {
  const [main, spare, device] = ['m', 's', 'd'].map((name) => {
    const path = join(directory, name);
    writeFileSync(path, '');
    truncateSync(path, 2 << 20);
    return path;
  }) as [string, string, string];
  await formatSpares({ main, spares: [spare] });
  const name = join(directory, 'name');
  // What is open stays so; it is opened once more for the last part.
  const losesName = { onTransfer: () => rmSync(name, { force: true }) };
  symlinkSync(spare, name);
  const leftToStart = expect.stringContaining(name);
  const added = await addSpare({ main, spares: [name], device, ...losesName });
  expect(added).toMatchObject({ spareIndex: 1, leftToStart });
  expect((await inspectSpares([spare, device])).spares).toHaveLength(2);
  symlinkSync(spare, name);
  const removed = await removeSpare({ spares: [name, device], device, ...losesName });
  expect(removed).toMatchObject({ path: device, leftToStart });
  expect((await inspectSpares([spare])).spares).toHaveLength(1);
});
