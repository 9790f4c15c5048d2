import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DiskImages } from '../support/disk-images.js';
import { dmremapProgram } from '../support/dmremap-program.js';
import { writeRandomFile } from '../support/random-file.js';
import { type ToolOutcome, tryTool } from '../support/run-tool.js';

const MIB = 1 << 20;
let images: DiskImages;

beforeEach(async () => {
  images = await DiskImages.create({
    mainBytes: 8 * MIB,
    spareBytes: 2 * MIB,
    fillMain: (path) => writeRandomFile(path, 8 * MIB, 4711),
  });
});

afterEach(async () => {
  for (const { processId } of await served()) process.kill(processId, 'SIGKILL');
  images.remove();
});

describe('dmremap scan and assemble', () => {
  it('find a set, start it behind, and know it as served', async () => {
    const devices = ['--device', images.mainPath, '--device', images.sparePath];
    const nbd = `nbd+unix:///?socket=${images.path('nbd.sock')}`;
    const [fresh] = await scanned(images.mainPath, images.sparePath);
    expect(fresh).toMatchObject({ state: 'incomplete', problems: [{ id: 'mainUnproven' }] });
    expect(await dmremap('assemble', fresh.setId, ...devices)).toMatchObject({
      status: 3,
      stderr: expect.stringContaining(`dmremap assemble ${fresh.setId} --main ${images.mainPath}`),
    });
    const main = ['--main', images.mainPath];
    const dry = await dmremap('assemble', fresh.setId, ...devices, ...main, '--dry-run');
    const command = `dmremap run --main ${images.mainPath} --spare ${images.sparePath} --ublk\n`;
    expect(dry).toMatchObject({ status: 0, stdout: command });
    const started = await dmremap(
      'assemble',
      fresh.setId,
      ...devices,
      ...main,
      '--background',
      '--',
      '--nbd',
      nbd,
    );
    expect(started.stderr).toBe('');
    expect(started.stdout).toContain(`${fresh.setId}: ready nbd+unix:///?socket=`);
    expect(await scanned(images.sparePath)).toMatchObject([
      { state: 'served', main: { path: images.mainPath } },
    ]);
    copyFileSync(images.sparePath, images.path('clone.img'));
    expect(await scanned(images.path('clone.img'), images.sparePath)).toMatchObject([
      { state: 'served', spares: [{ path: images.sparePath }], problems: [{ id: 'copyVisible' }] },
    ]);
    expect((await dmremap('assemble', '--scan', ...devices)).stdout).toBe(
      `${fresh.setId}: is served already\n`,
    );
  });

  it('serve a set in the foreground that gets another spare, and goes on with it', async () => {
    await runOnce();
    const devices = ['--device', images.mainPath, '--device', images.sparePath];
    const nbd = `nbd+unix:///?socket=${images.path('nbd.sock')}`;
    const server = spawn(
      process.execPath,
      [dmremapProgram(), 'assemble', images.sparePath, ...devices, '--', '--nbd', nbd],
      { env: environment(), stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await new Promise((resolve) => server.stdout.once('data', resolve));
    const further = images.path('further.img');
    writeFileSync(further, '');
    truncateSync(further, 2 * MIB);
    const added = await dmremap('spare', 'add', further, '--set', images.mainPath, '--yes');
    expect(added).toMatchObject({ status: 0 });
    const { sets } = JSON.parse((await dmremap('status', '--json')).stdout);
    expect(sets).toMatchObject([{ processId: server.pid, spares: [{}, { path: further }] }]);
  });

  it('recognise the main device by its contents after a clean stop, and refuse it when they were changed', async () => {
    await runOnce();
    const devices = [images.mainPath, images.sparePath];
    expect(await scanned(...devices)).toMatchObject([{ state: 'complete', main: { provedBy: 'contents' } }]);
    copyFileSync(images.sparePath, images.path('old.img'));
    writeRandomFile(images.mainPath, 8 * MIB, 815);
    expect(await scanned(...devices)).toMatchObject([{ problems: [{ id: 'mainMissing' }] }]);
    const wrong = await dmremap(
      'assemble',
      images.sparePath,
      '--device',
      images.sparePath,
      '--main',
      images.mainPath,
    );
    expect(wrong).toMatchObject({
      status: 4,
      stderr: expect.stringContaining('not the recorded main device'),
    });
  });

  it('refuse two of one spare, and say why a server in the background has not come up', async () => {
    await runOnce();
    const twin = images.path('twin.img');
    copyFileSync(images.sparePath, twin);
    const devices = [images.mainPath, images.sparePath, twin].flatMap((path) => ['--device', path]);
    expect(await dmremap('assemble', '--scan', ...devices)).toMatchObject({
      status: 4,
      stderr: expect.stringContaining('are the same spare'),
    });
    const right = ['--device', images.mainPath, '--device', images.sparePath, '--background', '--'];
    const failed = await dmremap(
      'assemble',
      images.sparePath,
      ...right,
      '--nbd',
      'nbd+unix:///?socket=/nowhere/x',
    );
    expect(failed.status).toBe(7);
    expect(failed.stderr).toMatch(/^dmremap: .*\/nowhere\/x.*; the log is .*\.log\n$/);
    const [, log] = /the log is (.*)\n/.exec(failed.stderr)!;
    expect(readFileSync(log!, 'utf8')).toContain('/nowhere/x');
    expect(await dmremap('assemble', '--scan', '--device', images.mainPath)).toMatchObject({ status: 3 });
    expect(await dmremap('assemble')).toMatchObject({ status: 2 });
  });
});

/** Serves the set for a moment, so that it was stopped cleanly once. */
async function runOnce(): Promise<void> {
  const args = ['--main', images.mainPath, '--spare', images.sparePath];
  const nbd = ['--nbd', `nbd+unix:///?socket=${images.path('once.sock')}`];
  const server = spawn(process.execPath, [dmremapProgram(), 'run', ...args, ...nbd], {
    env: environment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => server.once('exit', resolve));
  server.stdout.once('data', () => server.kill('SIGTERM'));
  expect(await ended).toBe(0);
}

const environment = () => ({ ...process.env, RUNTIME_DIRECTORY: images.path('run') });

function dmremap(...args: string[]): Promise<ToolOutcome> {
  return tryTool(process.execPath, [dmremapProgram(), ...args], { environment: environment() });
}

// biome-ignore lint/suspicious/noExplicitAny: whatever the JSON says is what is tested
async function scanned(...paths: string[]): Promise<any[]> {
  return JSON.parse((await dmremap('scan', ...paths, '--json')).stdout).sets;
}

async function served(): Promise<{ processId: number }[]> {
  if (!existsSync(images.path('run'))) return [];
  return JSON.parse((await dmremap('list', '--json')).stdout).sets;
}
