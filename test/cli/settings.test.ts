import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DiskImages } from '../support/disk-images.js';
import { dmremapProgram } from '../support/dmremap-program.js';
import { type ToolOutcome, tryTool } from '../support/run-tool.js';

const MIB = 1 << 20;
let images: DiskImages;
let server: ChildProcess;
let log = '';

beforeEach(async () => {
  images = await DiskImages.create({ mainBytes: 8 * MIB, spareBytes: 2 * MIB });
  server = await serve();
});

afterEach(async () => {
  await stop('SIGKILL');
  images.remove();
});

describe('dmremap get and set', () => {
  it('change what is in force, all or nothing, and say what has changed', async () => {
    expect((await dmremap('get', images.mainPath, 'on_gone')).stdout).toBe('hold:30\n');
    const set = await dmremap('set', images.mainPath, 'on_gone=hold:60', 'scan_interval_hours=24');
    expect(set).toMatchObject({
      status: 0,
      stdout: 'metadata_scrub_hours is 24 now\non_gone is hold:60 now\n',
    });
    expect((await json('status')).sets[0].onGone).toBe('hold:60');
    const again = await json('set', images.mainPath, 'on_gone=hold:60', 'max_remaps=7');
    expect(again).toMatchObject({ version: 1, changed: ['max_remaps'] });
    expect((await json('status')).sets[0]).toMatchObject({ usableSpareUnits: 7, freeSpareUnits: 7 });
    expect(await dmremap('set', images.mainPath, 'max_remaps=9', 'debug_level=7')).toMatchObject({
      status: 2,
      stderr: 'dmremap: debug_level: expected a whole number from 0 to 3, not "7"\n',
    });
    expect((await dmremap('get', images.mainPath, 'max_remaps')).stdout).toBe('7\n');
    expect((await dmremap('set', images.mainPath, 'max_remaps=default')).stdout).toBe(
      'max_remaps is 0 now\n',
    );
  });

  it('are kept over a crash and over a clean stop, and are beaten by options', async () => {
    await dmremap('set', images.mainPath, 'on_gone=hold', 'on_lost=zero', 'debug_level=0');
    await stop('SIGKILL');
    server = await serve();
    const { settings } = await json('get', images.mainPath);
    const kept = settings.filter(({ source }: { source: string }) => source === 'kept');
    expect(kept.map(({ name, value }: { name: string; value: unknown }) => [name, value])).toEqual([
      ['debug_level', 0],
      ['on_gone', 'hold'],
      ['on_lost', 'zero'],
    ]);
    await stop('SIGTERM');
    expect(JSON.parse((await dmremap('inspect', images.sparePath, '--json')).stdout).settings).toEqual(
      settings,
    );
    server = await serve('--on-gone', 'fail', '--log-level', 'error');
    expect((await json('get', images.mainPath, 'on_gone')).settings).toEqual([
      {
        name: 'on_gone',
        value: 'fail',
        source: 'given',
        givenBy: '--on-gone',
        kept: 'hold',
        default: 'hold:30',
      },
    ]);
    expect(await dmremap('set', images.mainPath, 'max_remaps=5', 'on_gone=hold:5')).toMatchObject({
      status: 4,
      stderr: expect.stringContaining('on_gone: was given when the set was started (--on-gone)'),
    });
    expect((await dmremap('get', images.mainPath, 'max_remaps')).stdout).toBe('0\n');
  });

  it('know the parameters of the module: what is so always, and what can not be set', async () => {
    expect(await dmremap('set', images.mainPath, 'auto_remap_enabled=1')).toMatchObject({
      status: 0,
      stdout: 'auto_remap_enabled: is so always\n',
    });
    expect(await dmremap('set', images.mainPath, 'auto_remap_enabled=0')).toMatchObject({ status: 2 });
    expect((await dmremap('get', images.mainPath, 'autosave_enabled')).stdout).toBe('1\n');
    const refused = await dmremap('get', images.mainPath, 'fast_path_threshold');
    expect(refused.stderr).toBe(
      "dmremap: fast_path_threshold: can't be set here: requests of every size take it\n",
    );
    expect(await dmremap('message', images.mainPath, '0', 'auto_remap 0')).toMatchObject({ status: 4 });
  });

  it('are a resource of the control socket, which says why it refuses', async () => {
    expect((await ask('GET')).body.settings).toHaveLength(11);
    expect(await ask('PATCH', { max_remaps: 3, on_gone: null })).toMatchObject({
      status: 200,
      body: { changed: ['max_remaps'] },
    });
    for (const body of [
      { max_remaps: -1 },
      { max_remaps: '3' },
      { gc_interval: 3 },
      { max_remap: 3 },
      { debug: 1, debug_level: 1 },
    ])
      expect(await ask('PATCH', body)).toMatchObject({ status: 400, body: { error: { failure: 'usage' } } });
    expect((await ask('PATCH', { strict_spare_sizing: 1 })).body.error.message).toContain('is always 0 here');
    expect((await json('get', images.mainPath, 'max_remaps')).settings[0].value).toBe(3);
  });
});

describe('debug_level', () => {
  it('decides what is logged, from when it is set', async () => {
    await dmremap('set', images.mainPath, 'debug_level=3');
    await dmremap('get', images.mainPath);
    await dmremap('set', images.mainPath, 'debug_level=0');
    await dmremap('set', images.mainPath, 'on_gone=fail');
    await stop('SIGTERM');
    const events = log
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const messages = events.map(({ msg }) => msg);
    expect(messages).toContain('debug_level is 3 now');
    expect(messages).toContain('GET /v1/settings: 200');
    expect(messages).not.toContain('on_gone is fail now');
    expect(events.filter(({ event }) => event === 'stopped')).toEqual([]);
  });
});

const environment = () => ({ ...process.env, RUNTIME_DIRECTORY: images.path('run') });

async function serve(...options: string[]): Promise<ChildProcess> {
  const devices = ['--main', images.mainPath, '--spare', images.sparePath];
  const nbd = `nbd+unix:///?socket=${images.path('nbd.sock')}`;
  const args = [dmremapProgram(), 'run', ...devices, '--nbd', nbd, ...options];
  const started = spawn(process.execPath, args, { env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
  log = '';
  started.stderr!.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  for await (const line of createInterface({ input: started.stdout! })) if (line.startsWith('ready')) break;
  while ((await json('list')).sets[0]?.processId !== started.pid) await delay(20);
  return started;
}

async function stop(signal: NodeJS.Signals): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, 'close');
  server.kill(signal);
  await ended;
}

function dmremap(...args: string[]): Promise<ToolOutcome> {
  return tryTool(process.execPath, [dmremapProgram(), ...args], { environment: environment() });
}

// biome-ignore lint/suspicious/noExplicitAny: whatever the JSON says is what is tested
async function json(...args: string[]): Promise<any> {
  return JSON.parse((await dmremap(...args, '--json')).stdout);
}

// biome-ignore lint/suspicious/noExplicitAny: the same
function ask(method: string, body?: object): Promise<{ status: number; body: any }> {
  const [socket] = readdirSync(images.path('run'));
  const json = body === undefined ? undefined : JSON.stringify(body);
  const headers = json === undefined ? {} : { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const options = { socketPath: images.path(`run/${socket}`), path: '/v1/settings', method, headers };
    request(options, async (response) => {
      let text = '';
      for await (const chunk of response.setEncoding('utf8')) text += chunk;
      resolve({ status: response.statusCode!, body: JSON.parse(text) });
    })
      .on('error', reject)
      .end(json);
  });
}
