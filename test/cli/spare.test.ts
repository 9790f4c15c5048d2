import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ControlClient } from '../../src/control/client/control-client.js';
import { takeLockFile } from '../../src/kernel/lock-file.js';
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
    fillMain: (path) => writeRandomFile(path, 8 * MIB, 4712),
  });
});

afterEach(async () => {
  if (server?.exitCode === null) {
    const ended = new Promise((resolve) => server!.once('exit', resolve));
    server.kill('SIGKILL');
    await ended;
  }
  server = undefined;
  images.remove();
});

describe('spare add', () => {
  it('gives a set that is not at work another spare, shows what it overwrites, and refuses what holds something', async () => {
    const further = imageOf('further.img', 4 * MIB);
    const set = ['--main', images.mainPath, '--spare', images.sparePath];
    const shown = await dmremap('spare', 'add', further, ...set, '--dry-run', '--json');
    expect(JSON.parse(shown.stdout)).toMatchObject({ version: 1, written: false, spareIndex: 1 });
    expect(await dmremap('metadata', 'check', images.sparePath)).toMatchObject({ status: 0 });
    // There is nobody to ask.
    expect(await dmremap('spare', 'add', further, ...set)).toMatchObject({ status: 2 });
    expect(await dmremap('spare', 'add', further, ...set, '--yes')).toMatchObject({ status: 0 });
    expect(await dmremap('metadata', 'check', images.sparePath, further)).toMatchObject({ status: 0 });
    expect(await dmremap('metadata', 'check', images.sparePath)).toMatchObject({ status: 4 });
    const all = [...set, '--spare', further];
    expect(await dmremap('spare', 'add', images.mainPath, ...all, '--yes')).toMatchObject({ status: 2 });
    const used = imageOf('used.img', 4 * MIB);
    writeFileSync(used, Buffer.from('hsqs'), { flag: 'r+' });
    const refused = await dmremap('spare', 'add', used, ...all, '--yes');
    expect(refused).toMatchObject({ status: 4, stderr: expect.stringContaining('squashfs') });
    expect(await dmremap('spare', 'add', imageOf('small.img', MIB / 2), ...all, '--yes')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/small\.img: 524288 bytes are too small for a spare; at least/),
    });
    expect(await dmremap('spare', 'add', used, '--yes')).toMatchObject({ status: 2 });
  });

  it('gives a set at work another spare: the process hands over to itself and goes on', async () => {
    server = await serve();
    const { pid } = server;
    await dmremap('remap', 'add', images.mainPath, '800', '--count', '64');
    const further = imageOf('further.img', 4 * MIB);
    const added = await dmremap('spare', 'add', further, '--set', images.mainPath, '--yes', '--json');
    expect(JSON.parse(added.stdout)).toMatchObject({ version: 1, written: true, spareIndex: 1 });
    const { sets } = JSON.parse((await dmremap('status', '--json')).stdout);
    expect(sets).toMatchObject([{ processId: pid, remappedUnits: 8, spares: [{}, { path: further }] }]);
    const again = await dmremap('spare', 'add', further, '--set', images.mainPath, '--yes');
    expect(again).toMatchObject({ status: 2, stderr: expect.stringContaining('of the set already') });
    expect(JSON.parse((await dmremap('status', '--json')).stdout).sets[0].processId).toBe(pid);
  });

  it('is no reason to tell others that there is no such set', async () => {
    server = await serve();
    const further = imageOf('further.img', 4 * MIB);
    let isAdding = true;
    const adding = dmremap('spare', 'add', further, '--set', images.mainPath, '--yes').finally(() => {
      isAdding = false;
    });
    while (isAdding) {
      const asked = await dmremap('status', images.mainPath);
      // On a machine that is very busy it may not be there after some seconds yet.
      if (asked.status !== 0) expect(asked.stderr).toContain('being opened again');
    }
    expect(await adding).toMatchObject({ status: 0 });
  });

  it('keeps the name of the set, so that no other one can take it just then', async () => {
    server = await serve('--name', 'attic');
    let isAdding = true;
    const further = imageOf('further.img', 4 * MIB);
    const adding = dmremap('spare', 'add', further, '--set', 'attic', '--yes').finally(() => {
      isAdding = false;
    });
    const claimed = join(images.path('run'), 'attic.name');
    while (isAdding) {
      expect(takeLockFile(claimed, 'another one')).toMatchObject({ ok: false, error: { kind: 'held' } });
      await delay(1);
    }
    expect(await adding).toMatchObject({ status: 0 });
    const stopped = once(server, 'exit');
    server.kill('SIGTERM');
    expect(await stopped).toEqual([0, null]);
    expect(existsSync(claimed)).toBe(false);
  });

  it('does not forget that the server was to stop, which is asked of it while the set changes', async () => {
    server = await serve();
    const stopped = once(server, 'exit');
    const further = imageOf('further.img', 4 * MIB);
    const names = (): string[] => readdirSync(images.path('run'));
    const socket = join(images.path('run'), names().find((name) => name.endsWith('.sock'))!);
    const changing = new Promise<void>((resolve) => {
      server!.stderr!.on('data', (log) => String(log).includes('"changing"') && resolve());
    });
    const answered = new ControlClient(socket).addSpare({ device: further, force: false, dryRun: false });
    await changing;
    server.kill('SIGTERM');
    expect(await stopped).toEqual([0, null]);
    expect(await answered).toMatchObject({ spareIndex: 1 });
    const checked = await dmremap('metadata', 'check', images.sparePath, further);
    expect(checked).toMatchObject({ status: 0 });
  });

  it('that finds the set impossible to close in order says so, and the set is served as before', async () => {
    const faults = join(images.directory, 'faults.yaml');
    writeFileSync(faults, 'main:\n  - { on: [flush], error: EIO, times: 1 }\n');
    server = await serve('--faults', faults);
    const { pid } = server;
    const further = imageOf('further.img', 4 * MIB);
    const added = await dmremap('spare', 'add', further, '--set', images.mainPath, '--yes');
    expect(added).toMatchObject({ status: 6, stderr: expect.stringMatching(/^dmremap: .*clean/) });
    await untilServed();
    const { sets } = JSON.parse((await dmremap('status', '--json')).stdout);
    expect(sets).toMatchObject([{ processId: pid, spares: [{ path: images.sparePath }] }]);
  });

  it('can be undone: what lives on the spare moves to the others, then it is none', async () => {
    server = await serve();
    const { pid } = server;
    await dmremap('remap', 'add', images.mainPath, '800', '--count', '64');
    const further = imageOf('further.img', 4 * MIB);
    expect(await dmremap('spare', 'add', further, '--set', images.mainPath, '--yes')).toMatchObject({
      status: 0,
    });
    expect(await dmremap('spare', 'remove', '3', '--set', images.mainPath)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('no spare of the set; it has 0 ('),
    });
    const removed = await dmremap('spare', 'remove', '0', '--set', images.mainPath, '--json');
    expect(JSON.parse(removed.stdout)).toMatchObject({ version: 1, path: images.sparePath });
    const { sets } = JSON.parse((await dmremap('status', '--json')).stdout);
    expect(sets).toMatchObject([{ processId: pid, remappedUnits: 8, spares: [{ path: further }] }]);
    expect((await dmremap('remap', 'release', images.mainPath, '800', '--count', '64')).stdout).toMatch(
      /^8 units given back/,
    );
    expect(await dmremap('inspect', images.sparePath)).toMatchObject({ status: 5 });
    const only = await dmremap('spare', 'remove', '0', '--set', images.mainPath);
    expect(only).toMatchObject({ status: 2, stderr: expect.stringContaining('only spare') });
  });
});

describe('spare remove --empty-only', () => {
  it('shows in the status that the spare takes nothing, and costs no place: all are free after --keep', async () => {
    server = await serve();
    const further = imageOf('further.img', 4 * MIB);
    await dmremap('spare', 'add', further, '--set', images.mainPath, '--yes');
    await dmremap('remap', 'add', images.mainPath, '800', '--count', '64');
    const setAtWork = async () => JSON.parse((await dmremap('status', '--json')).stdout).sets[0];
    const before = await setAtWork();
    const remove = ['spare', 'remove', '0', '--set', images.mainPath];
    expect(await dmremap(...remove, '--empty-only')).toMatchObject({ status: 0 });
    const emptied = await setAtWork();
    expect(emptied).toMatchObject({
      emptying: [{ spareIndex: 0, path: images.sparePath, movedUnits: 8, leftUnits: 0 }],
      health: {
        state: 'degraded',
        findings: expect.arrayContaining([expect.objectContaining({ id: 'spareEmptying' })]),
      },
    });
    expect(emptied.usableSpareUnits).toBeLessThan(before.usableSpareUnits);
    const text = (await dmremap('status')).stdout;
    expect(text).toMatch(/\n +0 .*no, it is empty\n +1 .*yes\n/);
    expect(text.replaceAll(/\s+/g, ' ')).toContain(
      'is empty and takes no units: 8 moved to the others, 0 to go.',
    );
    expect(await dmremap(...remove, '--keep')).toMatchObject({ status: 0 });
    const { usableSpareUnits, freeSpareUnits } = before;
    expect(await setAtWork()).toMatchObject({
      emptying: [],
      retiredSpareUnits: 0,
      usableSpareUnits,
      freeSpareUnits,
    });
  });
});

describe('places on spares', () => {
  it('follow the policy that is set, and are put together on demand', async () => {
    server = await serve();
    const placesOf = async (): Promise<number[]> => {
      const { remaps } = JSON.parse((await dmremap('remaps', images.sparePath, '--json')).stdout);
      const inOrder = [...remaps].sort((one, other) => one.mainSector - other.mainSector);
      return inOrder.map(({ spareSector }) => spareSector);
    };
    for (const sector of ['808', '800', '816']) await dmremap('remap', 'add', images.mainPath, sector);
    const [first, second, third] = await placesOf();
    expect([second! - first!, third! - second!]).not.toEqual([8, 8]);
    const done = await dmremap('remap', 'consolidate', images.mainPath, '--json');
    expect(JSON.parse(done.stdout)).toMatchObject({ version: 1, movedCount: 3, scatteredRunCount: 0 });
    const again = await dmremap('remap', 'consolidate', images.mainPath);
    expect(again.stdout).toMatch(/^nothing to do/);
    expect(await dmremap('set', images.mainPath, 'allocation_policy=near')).toMatchObject({ status: 0 });
    await dmremap('remap', 'add', images.mainPath, '824');
    const places = await placesOf();
    expect(places).toEqual(places.map((_, nth) => places[0]! + nth * 8));
    expect(await dmremap('set', images.mainPath, 'allocation_policy=nearest')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('sequential or near or spread or balance'),
    });
  });
});

/** A file of zeroes. */
function imageOf(name: string, sizeBytes: number): string {
  const path = join(images.directory, name);
  writeFileSync(path, '');
  truncateSync(path, sizeBytes);
  return path;
}

async function serve(...further: string[]): Promise<ChildProcess> {
  const uri = `nbd+unix:///?socket=${join(images.directory, 'nbd.sock')}`;
  const child = spawn(
    process.execPath,
    [
      dmremapProgram(),
      'run',
      '--main',
      images.mainPath,
      '--spare',
      images.sparePath,
      '--nbd',
      uri,
      ...further,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: environment() },
  );
  child.stderr!.resume();
  for await (const line of createInterface(child.stdout!)) if (line.startsWith('ready ')) return child;
  throw new Error('the server did not start');
}

/** A process that starts itself again has no socket for a while. */
async function untilServed(): Promise<void> {
  while (JSON.parse((await dmremap('list', '--json')).stdout).sets.length === 0) await delay(20);
}

function dmremap(...args: string[]): Promise<ToolOutcome> {
  return tryTool(process.execPath, [dmremapProgram(), ...args], { environment: environment() });
}

function environment(): NodeJS.ProcessEnv {
  const directories = { RUNTIME_DIRECTORY: images.path('run'), STATE_DIRECTORY: images.path('state') };
  return { ...process.env, ...directories };
}
