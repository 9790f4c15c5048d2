import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DiskImages } from '../support/disk-images.js';
import { dmremapProgram } from '../support/dmremap-program.js';
import { type ToolOutcome, tryTool } from '../support/run-tool.js';

const MIB = 1 << 20;
let images: DiskImages;
let server: ChildProcess | undefined;

beforeEach(async () => {
  images = await DiskImages.create({ mainBytes: 8 * MIB, spareBytes: 2 * MIB });
});

afterEach(async () => {
  if (server !== undefined && server.exitCode === null) {
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
  }
  images.remove();
});

it('dmremap run NAME serves a set as it is described, and set names the line that beats it', async () => {
  const path = images.path('dm-remap.yaml');
  writeFileSync(
    path,
    `sets:
  attic:
    main: ${images.mainPath}
    spares: [${images.sparePath}]
    frontends:
      nbd: ["nbd+unix:///?socket=${images.path('nbd.sock')}"]
    settings: { on_gone: fail }
`,
  );
  server = await serve('attic', '--config', path);
  expect(await json('get', 'attic', 'on_gone')).toMatchObject({
    settings: [{ value: 'fail', source: 'given', givenBy: `${path}:7` }],
  });
  expect(await dmremap('set', 'attic', 'on_gone=hold')).toMatchObject({
    status: 4,
    stderr: expect.stringContaining(`${path}:7`),
  });
  expect(await dmremap('set', 'attic', 'max_remaps=9')).toMatchObject({ status: 0 });
  expect(await dmremap('run', 'cellar', '--config', path)).toMatchObject({
    status: 2,
    stderr: expect.stringContaining(`cellar: is no set in ${path}`),
  });
});

const environment = () => ({ ...process.env, RUNTIME_DIRECTORY: images.path('run') });

async function serve(...options: string[]): Promise<ChildProcess> {
  const started = spawn(process.execPath, [dmremapProgram(), 'run', ...options], {
    env: environment(),
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  for await (const line of createInterface({ input: started.stdout! })) if (line.startsWith('ready')) break;
  while ((await json('list')).sets[0]?.processId !== started.pid) await delay(20);
  return started;
}

function dmremap(...args: string[]): Promise<ToolOutcome> {
  return tryTool(process.execPath, [dmremapProgram(), ...args], { environment: environment() });
}

// biome-ignore lint/suspicious/noExplicitAny: whatever the JSON says is what is tested
async function json(...args: string[]): Promise<any> {
  return JSON.parse((await dmremap(...args, '--json')).stdout);
}
