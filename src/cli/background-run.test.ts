import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startInBackground } from './background-run.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dmr-background-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Serves, or ends with 3 a little later. */
const SERVER = `
if (process.argv[3] === 'serve') {
  console.log('ready nbd://there');
  setTimeout(() => {}, 2000);
} else
  setTimeout(() => {
    console.error('dmremap: main.img: in use');
    process.exit(3);
  }, 500);
`;

it('A start that shares its log with another one is not taken for that', async () => {
  const program = join(directory, 'server.cjs');
  writeFileSync(program, SERVER);
  const start = (what: string) =>
    startInBackground(
      { runArguments: [what], logPath: join(directory, 'attic.log') },
      { node: process.execPath, program, environment: process.env },
    );
  const [served, refused] = await Promise.all([start('serve'), start('fail')]);
  expect(served).toMatchObject({ kind: 'ready', addresses: ['nbd://there'] });
  expect(refused).toEqual({ kind: 'failed', status: 3, reason: 'main.img: in use' });
  expect(readdirSync(directory).sort()).toEqual(['attic.log', 'server.cjs']);
});
