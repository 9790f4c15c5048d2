import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ANSWER_SCHEMAS } from '../../src/cli/answer-schemas.js';
import { DiskImages } from '../support/disk-images.js';
import { dmremapProgram } from '../support/dmremap-program.js';
import { writeRandomFile } from '../support/random-file.js';
import { type ToolOutcome, tryTool } from '../support/run-tool.js';

const MIB = 1 << 20;
let images: DiskImages;
let server: ChildProcess | undefined;

beforeEach(async () => {
  images = await DiskImages.create({
    mainBytes: 8 * MIB,
    spareBytes: 2 * MIB,
    fillMain: (path) => writeRandomFile(path, 8 * MIB, 4713),
  });
});

afterEach(async () => {
  await stop('SIGKILL');
  images.remove();
});

describe('forget --wipe', () => {
  it('leaves nothing that scan finds, and a spare that format takes without --force', async () => {
    const mainBefore = readFileSync(images.mainPath);
    expect(await dmremap('format', ...devices(), '--yes')).toMatchObject({ status: 4 });
    const spareBefore = readFileSync(images.sparePath);
    const dry = await dmremap('forget', images.sparePath, '--wipe', '--dry-run');
    expect(dry).toMatchObject({ status: 0, stdout: expect.stringContaining('ITS METADATA WILL BE ERASED') });
    expect(dry.stdout).toContain(`${images.sparePath}, 2 MiB`);
    // There is nobody to ask.
    expect(await dmremap('forget', images.sparePath, '--wipe')).toMatchObject({ status: 2 });
    expect(readFileSync(images.sparePath).equals(spareBefore)).toBe(true);
    const wiped = await dmremap('forget', images.sparePath, '--wipe', '--yes', '--json');
    expect(ANSWER_SCHEMAS.forget.parse(JSON.parse(wiped.stdout))).toMatchObject({
      written: true,
      wiped: { spares: [{ path: images.sparePath }], movedUnits: 0, missingSpares: 0 },
    });
    const found = JSON.parse((await dmremap('scan', images.sparePath, '--json')).stdout);
    expect(found).toMatchObject({ sets: [], doubtful: [] });
    expect(await dmremap('forget', images.sparePath, '--wipe', '--yes')).toMatchObject({ status: 3 });
    expect(readFileSync(images.mainPath).equals(mainBefore)).toBe(true);
    expect(await dmremap('format', ...devices(), '--yes')).toMatchObject({ status: 0 });
  });

  it('refuses a set that is served, by its name and by its spare', async () => {
    server = await serve();
    for (const wanted of [images.sparePath, await setId()])
      expect(await dmremap('forget', wanted, '--wipe', '--device', images.sparePath, '--yes')).toMatchObject({
        status: 4,
        stderr: expect.stringMatching(/serves it; nothing was removed\. Stop it first: dmremap stop .*\n$/),
      });
    expect(await dmremap('stop', images.sparePath, '--json')).toMatchObject({ status: 0 });
  });

  it('refuses while units live on the spares, says what to do first, and erases with --force', async () => {
    server = await serve();
    await dmremap('remap', 'add', images.mainPath, '800', '--count', '16');
    await stop('SIGTERM');
    const wipe = ['forget', images.sparePath, '--wipe', '--yes'];
    const refused = await dmremap(...wipe);
    expect(refused).toMatchObject({
      status: 4,
      stderr: expect.stringMatching(/^dmremap: .*: 2 units live there and would be lost\. .*\n$/),
    });
    expect(refused.stderr).toContain(`dmremap leave --main MAIN --spare ${images.sparePath}`);
    expect(refused.stderr).toContain(`dmremap export ${images.sparePath} --dm-table`);
    expect(await dmremap('metadata', 'check', images.sparePath)).toMatchObject({ status: 0 });
    const copy = images.path('copy.img');
    copyFileSync(images.sparePath, copy);
    expect(await dmremap(...wipe, '--force')).toMatchObject({ status: 0 });
    expect(await dmremap('inspect', images.sparePath)).toMatchObject({ status: 5 });
    copyFileSync(copy, images.sparePath);
    rmSync(copy);
    expect(await dmremap('leave', ...devices())).toMatchObject({ status: 0 });
    expect(await dmremap(...wipe)).toMatchObject({ status: 0 });
  });

  it('takes all spares of a set or none, and no copy for the right one', async () => {
    const further = images.path('further.img');
    copyFileSync(images.sparePath, further);
    const both = ['--device', images.sparePath, '--device', further];
    const wipe = ['forget', images.sparePath, '--wipe', '--yes'];
    expect(await dmremap(...wipe, ...both)).toMatchObject({
      status: 4,
      stderr: expect.stringContaining('are the same spare'),
    });
    await writeRandomFile(further, 2 * MIB, 1);
    await dmremap('spare', 'add', further, ...devices(), '--yes');
    const incomplete = await dmremap(...wipe);
    expect(incomplete).toMatchObject({ status: 4, stderr: expect.stringContaining(': 1 more spare of set') });
    expect(incomplete.stderr).toContain('name image files with --device');
    expect(await dmremap(...wipe, ...both)).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(
        `${images.sparePath}, ${further}: nothing of the set is there any more`,
      ),
    });
    for (const path of [images.sparePath, further])
      expect(await dmremap('inspect', path)).toMatchObject({ status: 5 });
  });

  it('does not name "leave", which needs all spares, where one of them is missing', async () => {
    const further = images.path('further.img');
    await writeRandomFile(further, 2 * MIB, 1);
    await dmremap('spare', 'add', further, ...devices(), '--yes');
    server = await serve('--spare', further);
    await dmremap('remap', 'add', images.mainPath, '800');
    await stop('SIGTERM');
    const wipe = ['forget', images.sparePath, '--wipe', '--yes'];
    const refused = await dmremap(...wipe);
    expect(refused).toMatchObject({
      status: 4,
      stderr: expect.stringMatching(/1 more spare of set \S+ not found and 1 unit lives on the spares/),
    });
    expect(refused.stderr).not.toContain('dmremap leave');
    expect(await dmremap(...wipe, '--force')).toMatchObject({ status: 0 });
    expect(await dmremap('forget', further, '--wipe', '--yes')).toMatchObject({
      status: 4,
      stderr: expect.stringContaining('or erased already, --force erases what is here'),
    });
    expect(await dmremap('forget', further, '--wipe', '--yes', '--force')).toMatchObject({ status: 0 });
  });

  it('has options that mean nothing without it', async () => {
    expect(await dmremap('forget', 'attic', '--force')).toMatchObject({ status: 2 });
  });
});

function devices(): string[] {
  return ['--main', images.mainPath, '--spare', images.sparePath];
}

async function setId(): Promise<string> {
  return JSON.parse((await dmremap('list', '--json')).stdout).sets[0].setId;
}

async function serve(...more: string[]): Promise<ChildProcess> {
  const uri = `nbd+unix:///?socket=${join(images.directory, 'nbd.sock')}`;
  const child = spawn(process.execPath, [dmremapProgram(), 'run', ...devices(), ...more, '--nbd', uri], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: environment(),
  });
  for await (const line of createInterface(child.stdout!)) if (line.startsWith('ready ')) return child;
  throw new Error('the server did not start');
}

async function stop(signal: NodeJS.Signals): Promise<void> {
  if (server?.exitCode === null && server.signalCode === null) {
    const ended = new Promise((resolve) => server!.once('exit', resolve));
    server.kill(signal);
    await ended;
  }
  server = undefined;
}

function dmremap(...args: string[]): Promise<ToolOutcome> {
  return tryTool(process.execPath, [dmremapProgram(), ...args], { environment: environment() });
}

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, RUNTIME_DIRECTORY: join(images.directory, 'run') };
}
