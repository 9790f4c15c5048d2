import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDevice } from '../../dist/library/index.js';
import { leaveSocket } from '../../src/control/testing/abandoned-socket.js';
import { DiskImages } from '../support/disk-images.js';
import { dmremapProgram } from '../support/dmremap-program.js';
import { writeRandomFile } from '../support/random-file.js';
import { type ToolOutcome, tryTool } from '../support/run-tool.js';

const MIB = 1 << 20;
let images: DiskImages;
let server: ChildProcess;

beforeEach(async () => {
  images = await DiskImages.create({
    mainBytes: 8 * MIB,
    spareBytes: 2 * MIB,
    fillMain: (path) => writeRandomFile(path, 8 * MIB, 4711),
  });
  server = await serve();
});

afterEach(async () => {
  await stop('SIGKILL');
  images.remove();
});

describe('the control socket of a set at work', () => {
  it('answers list, status and events, by every name of the set', async () => {
    const { sets } = await json('list');
    expect(sets).toMatchObject([{ health: { state: 'healthy' }, main: { path: images.mainPath } }]);
    for (const name of [sets[0].setId, images.mainPath, images.sparePath])
      expect((await json('status', name)).sets[0].processId).toBe(server.pid);
    expect((await dmremap('status')).stdout).toMatch(/ state: HEALTHY\n/);
    expect((await dmremap('status', '-x')).stdout).toBe('all sets are healthy\n');
    expect((await json('events', sets[0].setId)).events.length).toBeGreaterThan(0);
    expect(await dmremap('status', 'attic')).toMatchObject({
      status: 3,
      stderr: expect.stringContaining('attic: no such set is served'),
    });
  });

  it('moves sectors by hand and brings them back; what is on the device stays the same', async () => {
    const before = await contents();
    expect((await dmremap('remap', 'add', images.mainPath, '800', '--count', '16')).stdout).toBe(
      '2 units moved\n',
    );
    expect((await json('remap', 'add', images.mainPath, '800')).alreadyCount).toBe(1);
    expect(await dmremap('status', '--test')).toMatchObject({ status: 1 });
    expect((await json('status')).sets[0].remappedUnits).toBe(2);
    expect((await contents()).equals(before)).toBe(true);
    expect((await dmremap('remap', 'release', images.mainPath, '800', '--count', '9999')).stdout).toMatch(
      /^2 units given back; 1,248 units already so\n$/,
    );
    expect((await contents()).equals(before)).toBe(true);
    expect((await json('status')).sets[0].remappedUnits).toBe(0);
    expect(await dmremap('remap', 'add', images.mainPath, '16384')).toMatchObject({ status: 2 });
  });

  it('goes on where nobody reads its output and its log any more, as with "run 2>&1 | head -1"', async () => {
    await stop('SIGTERM');
    const devices = ['--main', images.mainPath, '--spare', images.sparePath];
    const nbd = ['--nbd', `nbd+unix:///?socket=${images.path('nbd.sock')}`];
    server = spawn(process.execPath, [dmremapProgram(), 'run', ...devices, ...nbd], {
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    server.stdout!.destroy();
    server.stderr!.destroy();
    while ((await json('list')).sets[0]?.processId !== server.pid) await delay(20);
    // Each of these is a line in its log.
    for (const sector of ['800', '1600'])
      expect(await dmremap('remap', 'add', images.mainPath, sector)).toMatchObject({ status: 0 });
    const ended = once(server, 'exit');
    server.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });

  it('is private, goes with the process, and what a killed one left is passed over and replaced', async () => {
    const [socket] = readdirSync(images.path('run'));
    await stop('SIGKILL');
    // As one leaves it that is killed before the socket has its name.
    await leaveSocket(images.path(`run/${socket}.4711`));
    expect((await json('list')).sets).toEqual([]);
    server = await serve();
    expect(readdirSync(images.path('run'))).toEqual([socket]);
    expect((await json('list')).sets).toHaveLength(1);
    await stop('SIGTERM');
    expect(existsSync(images.path(`run/${socket}`))).toBe(false);
  });

  it('has whoever stops the set told that the stop was not clean, once', async () => {
    await stop('SIGTERM');
    const faults = images.path('faults.yaml');
    writeFileSync(faults, 'main:\n  - { on: [flush], error: EIO }\n');
    server = await serve('--faults', faults);
    const ended = once(server, 'exit');
    expect(await dmremap('stop', images.mainPath)).toMatchObject({
      status: 6,
      stderr: expect.stringMatching(/^dmremap: \S+: stopped, but not cleanly: the last flush failed; .*\n$/),
    });
    expect(await ended).toEqual([6, null]);
    expect(readdirSync(images.path('run'))).toEqual([]);
    server = await serve();
    expect(await dmremap('stop', images.mainPath)).toMatchObject({ status: 0, stderr: '' });
  });

  it('stays with the set that has it, when a copy of that is served as well, which takes --force', async () => {
    const [main, spare] = [images.path('copy-of-main'), images.path('copy-of-spare')];
    copyFileSync(images.mainPath, main);
    copyFileSync(images.sparePath, spare);
    const before = readFileSync(spare);
    const nbd = `nbd+unix:///?socket=${images.path('copy.sock')}`;
    const args = ['run', '--main', main, '--spare', spare, '--nbd', nbd];
    // What looks like a copy may be the same disk by way of another path, which no lock tells.
    expect(await dmremap(...args)).toMatchObject({
      status: 4,
      stdout: '',
      stderr: expect.stringContaining('another process serves'),
    });
    expect(readFileSync(spare).equals(before)).toBe(true);
    const copy = spawn(process.execPath, [dmremapProgram(), ...args, '--force'], {
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let log = '';
    copy.stderr.on('data', (chunk) => (log += chunk));
    for await (const line of createInterface({ input: copy.stdout })) if (line.startsWith('ready')) break;
    expect((await json('list')).sets).toMatchObject([{ processId: server.pid }]);
    const ended = once(copy, 'close');
    copy.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    expect(log).toContain('one of them is a copy');
    expect(readdirSync(images.path('run'))).toHaveLength(1);
  });

  it('has its main device refused for another set, which would know nothing of what was moved', async () => {
    const other = images.path('other-spare');
    writeFileSync(other, '');
    truncateSync(other, 2 << 20);
    const devices = ['--main', images.mainPath, '--spare', other];
    for (const args of [
      ['format', ...devices, '--yes'],
      ['run', ...devices, '--init', '--nbd', 'nbd://127.0.0.1:0/'],
    ]) {
      const { status, stderr } = await dmremap(...args);
      expect([4, 3], stderr).toContain(status);
      expect(stderr).toContain(images.mainPath);
      expect(readFileSync(other).every((byte) => byte === 0)).toBe(true);
    }
  });

  it('ends its events in order when the set is stopped; when the process is killed, that is told', async () => {
    const stopped = follow();
    await stopped.begun();
    await stop('SIGTERM');
    expect(await stopped.outcome).toEqual({ status: 0, stderr: '' });
    server = await serve();
    const killed = follow();
    await killed.begun();
    await stop('SIGKILL');
    expect(await killed.outcome).toEqual({
      status: 7,
      stderr: `dmremap: process ${server.pid} ended without having stopped the set: see its log, and run the set again\n`,
    });
  });

  it('describes itself, refuses what its schemas do not take, and knows no other resource', async () => {
    const description = await get('/v1/openapi.json');
    expect(Object.keys(description.body.paths)).toEqual(
      expect.arrayContaining([
        '/v1/device',
        '/v1/remaps',
        '/v1/jobs',
        '/v1/jobs/{id}/pause',
        '/v1/metadata/scrub',
      ]),
    );
    expect(await get('/v1/remaps?limit=many')).toMatchObject({
      status: 400,
      body: { error: { failure: 'usage' } },
    });
    expect(await get('/v1/remaps/800')).toMatchObject({ status: 404 });
    expect(await get('/v2/device')).toMatchObject({ status: 404, body: { error: { failure: 'notFound' } } });
  });
});

/** With the run directory inside the images' folder. */
const environment = () => ({ ...process.env, RUNTIME_DIRECTORY: images.path('run') });

async function serve(...more: string[]): Promise<ChildProcess> {
  const devices = ['--main', images.mainPath, '--spare', images.sparePath, ...more];
  const nbd = `nbd+unix:///?socket=${images.path('nbd.sock')}`;
  const started = spawn(process.execPath, [dmremapProgram(), 'run', ...devices, '--nbd', nbd], {
    env: environment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: started.stdout! })) if (line.startsWith('ready')) break;
  // The socket comes after the device is ready.
  while ((await json('list')).sets[0]?.processId !== started.pid) await delay(20);
  return started;
}

async function stop(signal: NodeJS.Signals): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = new Promise((resolve) => server.once('exit', resolve));
  server.kill(signal);
  await ended;
}

/** What clients of the device read; it is stopped for that, and started again. */
async function contents(): Promise<Buffer> {
  await stop('SIGTERM');
  const device = await openDevice({ main: images.mainPath, spares: [images.sparePath] });
  const bytes = Buffer.from(await device.read(0, 8 * MIB));
  await device.close();
  server = await serve();
  return bytes;
}

function dmremap(...args: string[]): Promise<ToolOutcome> {
  return tryTool(process.execPath, [dmremapProgram(), ...args], { environment: environment() });
}

/** `events --follow`; `begun`: an event was printed, so it listens. */
function follow() {
  const command = spawn(process.execPath, [dmremapProgram(), 'events', images.mainPath, '--follow'], {
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  command.stderr.on('data', (chunk) => (stderr += chunk));
  const outcome = once(command, 'close').then(([status]) => ({ status, stderr }));
  const lines = createInterface({ input: command.stdout })[Symbol.asyncIterator]();
  return { outcome, begun: () => lines.next() };
}

// biome-ignore lint/suspicious/noExplicitAny: whatever the JSON says is what is tested
async function json(...args: string[]): Promise<any> {
  return JSON.parse((await dmremap(...args, '--json')).stdout);
}

// biome-ignore lint/suspicious/noExplicitAny: the same
function get(path: string): Promise<{ status: number; body: any }> {
  const [socket] = readdirSync(images.path('run'));
  return new Promise((resolve, reject) => {
    request({ socketPath: images.path(`run/${socket}`), path }, async (response) => {
      let text = '';
      for await (const chunk of response.setEncoding('utf8')) text += chunk;
      resolve({ status: response.statusCode!, body: JSON.parse(text) });
    })
      .on('error', reject)
      .end();
  });
}
