import type { ChildProcess } from 'node:child_process';
import { copyFileSync, readFileSync, renameSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { leaveAnswer } from '../../src/cli/answer-schemas.js';
import { BlockModel } from '../../src/device/testing/block-model.js';
import { DiskImages } from '../support/disk-images.js';
import { NbdWorkload } from '../support/nbd-workload.js';
import { endBy, SetPrograms } from '../support/set-programs.js';

const MIB = 1 << 20;
const BLOCK_COUNT = (16 * MIB) / 512;
/** The copying takes some seconds, by a place that nothing else reads. */
const SLOW_READS = 'main:\n  - { sectors: "10000-10007", on: [read], delayMs: 6000 }\n';
let images: DiskImages;
let programs: SetPrograms;
let server: ChildProcess | undefined;

beforeEach(async () => {
  images = await DiskImages.create({
    mainBytes: 16 * MIB,
    spareBytes: 4 * MIB,
    fillMain: (path) => NbdWorkload.fillImage(path, BLOCK_COUNT),
  });
  programs = new SetPrograms(images);
});

afterEach(async () => {
  await kill();
  images.remove();
});

describe('evacuate', () => {
  it('moves a set with bad sectors to another disk while it is written to, and loses only what was lost', async () => {
    const unreadable = [3000, 3001, 9000];
    programs.faults(
      `main:\n  - { sectors: "3000-3001,9000", on: [read], error: ENODATA }\n  - { sectors: "100-107,20000-20040", on: [write, writeZeroes], error: ENODATA }\n`,
    );
    server = await serve(images.mainPath);
    const model = new BlockModel(BLOCK_COUNT, unreadable, (block) => block + 1);
    const workload = new NbdWorkload(model, BLOCK_COUNT, 5);
    await workload.run(programs.socketPath, 16, 2000);
    const load = workload.runUntilGone(programs.socketPath, 16);
    // What the process reads when it starts itself again: the new disk has no faults.
    programs.faults('main: []\n');
    const target = programs.image('new.img', 20 * MIB);
    const evacuated = await programs.dmremap('evacuate', images.mainPath, target, '--yes', '--json');
    expect(evacuated).toMatchObject({ status: 0 });
    await load;
    expect(JSON.parse(evacuated.stdout)).toMatchObject({
      version: 1,
      written: true,
      device: { path: target },
    });
    const { processId, main, remappedUnits, unitsWithLostBlocks } = await servedSet();
    expect({ processId, path: main.path }).toEqual({ processId: server.pid, path: target });
    expect(remappedUnits).toBe(unitsWithLostBlocks);
    unlinkSync(images.mainPath);
    await workload.verifyAll(programs.socketPath);
    expect(workload.writeErrors).toEqual([]);
    expect(workload.verifiedBlocks).toBeGreaterThanOrEqual(BLOCK_COUNT - unreadable.length);
    expect(unreadable).toEqual(expect.arrayContaining([...workload.lostBlocks]));
    await stopped();
    expect(await programs.dmremap('metadata', 'check', images.sparePath)).toMatchObject({ status: 0 });
  });

  it('refuses what can not become the main device, and says why', async () => {
    server = await serve(images.mainPath);
    const refusals: [string[], number, RegExp][] = [
      [
        [programs.image('small.img', 8 * MIB)],
        2,
        /small\.img: too small: 8388608 bytes, the set has 16777216/,
      ],
      [[images.sparePath], 2, /spare\.img: is spare 0 of the set already/],
      [[images.path('absent.img')], 3, /absent\.img: no such device/],
      [[], 2, /which disk/],
      [['--cancel'], 2, /nothing is being copied/],
      [['--accept-loss'], 2, /nothing is being copied/],
    ];
    for (const [args, status, message] of refusals)
      expect(await programs.dmremap('evacuate', images.mainPath, ...args, '--yes')).toMatchObject({
        status,
        stderr: expect.stringMatching(message),
      });
    const used = programs.image('used.img', 16 * MIB);
    writeFileSync(used, Buffer.from('hsqs'), { flag: 'r+' });
    expect(await programs.dmremap('evacuate', images.mainPath, used, '--yes')).toMatchObject({
      status: 4,
      stderr: expect.stringContaining('squashfs'),
    });
    const fit = programs.image('fit.img', 16 * MIB);
    const shown = await programs.dmremap('evacuate', images.mainPath, fit, '--dry-run', '--json');
    expect(JSON.parse(shown.stdout)).toMatchObject({
      written: false,
      device: { path: fit, signature: null },
    });
    // There is nobody to ask.
    expect(await programs.dmremap('evacuate', images.mainPath, fit)).toMatchObject({ status: 2 });
    expect((await servedSet()).main.path).toBe(images.mainPath);
  });

  it('goes on when the command is interrupted, excludes other changes, and can be given up', async () => {
    programs.faults(SLOW_READS);
    server = await serve(images.mainPath);
    const target = programs.image('new.img', 16 * MIB);
    const command = programs.spawn('evacuate', images.mainPath, target, '--yes');
    await untilCopying();
    command.kill('SIGINT');
    expect(await new Promise((resolve) => command.once('exit', resolve))).toBe(130);
    const further = programs.image('further.img', 4 * MIB);
    const added = await programs.dmremap('spare', 'add', further, '--set', images.mainPath, '--yes');
    expect(added).toMatchObject({ status: 4, stderr: expect.stringContaining('copied to') });
    const left = await programs.dmremap('leave', images.mainPath);
    expect(left).toMatchObject({ status: 4, stderr: expect.stringContaining('copied to') });
    for (const args of [[target], [], ['--cancel']])
      expect(await programs.dmremap('evacuate', images.mainPath, ...args, '--dry-run')).toMatchObject({
        status: 0,
      });
    const lossy = await programs.dmremap('evacuate', images.mainPath, '--accept-loss', '--dry-run');
    expect(lossy).toMatchObject({ status: 4, stderr: expect.stringContaining('can be read') });
    // On a busy machine all of it may be there by now: it has not taken over.
    const state = expect.stringMatching(/^copying$|^copied$/);
    expect(await servedSet()).toMatchObject({
      main: { path: images.mainPath },
      evacuation: { path: target, state },
    });
    const other = await programs.dmremap(
      'evacuate',
      images.mainPath,
      programs.image('other.img', 16 * MIB),
      '--yes',
    );
    expect(other).toMatchObject({ status: 4, stderr: expect.stringContaining('cancel that first') });
    expect(await programs.dmremap('evacuate', images.mainPath, '--cancel')).toMatchObject({ status: 0 });
    expect(await programs.dmremap('evacuate', images.mainPath, '--cancel')).toMatchObject({ status: 2 });
    expect((await servedSet()).main.path).toBe(images.mainPath);
    const again = programs.spawn('evacuate', images.mainPath, target, '--yes', '--force');
    await untilCopying(2);
    again.kill('SIGINT');
    programs.faults('main: []\n');
    expect(await programs.dmremap('evacuate', images.mainPath)).toMatchObject({ status: 0 });
    expect((await servedSet()).main.path).toBe(target);
  });

  it('begins again by itself when the process that serves the set was killed, and the command waits for that', async () => {
    programs.faults(SLOW_READS);
    server = await serve(images.mainPath);
    const target = programs.image('new.img', 16 * MIB);
    const command = programs.spawn('evacuate', images.mainPath, target, '--yes');
    const ended = new Promise((resolve) => command.once('exit', resolve));
    await untilCopying();
    await kill();
    programs.faults('main: []\n');
    server = await serve(images.mainPath);
    expect(await ended).toBe(0);
    expect((await servedSet()).main.path).toBe(target);
    unlinkSync(images.mainPath);
    const workload = new NbdWorkload(new BlockModel(BLOCK_COUNT, [], (block) => block + 1), BLOCK_COUNT, 6);
    await workload.verifyAll(programs.socketPath);
    // What has taken over is not copied to any more.
    await kill();
    server = await serve(target);
    expect(await programs.dmremap('evacuate', target, '--cancel')).toMatchObject({ status: 2 });
  });

  it('does not begin again on another disk, nor after a stop in order', async () => {
    programs.faults(SLOW_READS);
    const target = programs.image('new.img', 16 * MIB);
    for (const [end, isRemembered] of [
      [exchangeAndKill, false],
      [stopped, true],
    ] as const) {
      server = await serve(images.mainPath);
      const command = programs.spawn('evacuate', images.mainPath, target, '--yes', '--force');
      await untilCopying();
      command.kill('SIGKILL');
      await end(target);
      server = await serve(images.mainPath);
      expect((await programs.dmremap('status')).stdout.includes('evacuation, copying')).toBe(isRemembered);
      expect((await programs.dmremap('events', images.mainPath)).stdout).not.toContain('evacuationStarted');
      const cancelled = await programs.dmremap('evacuate', images.mainPath, '--cancel');
      expect(cancelled.status).toBe(isRemembered ? 0 : 2);
      await stopped();
    }
  });
});

describe('leave', () => {
  it('brings everything back to the main device, ends the process and leaves a disk that needs nothing', async () => {
    const before = readFileSync(images.mainPath);
    server = await serve(images.mainPath);
    await programs.dmremap('remap', 'add', images.mainPath, '800', '--count', '64');
    const shown = await programs.dmremap('leave', images.mainPath, '--dry-run', '--json');
    expect(leaveAnswer.strict().parse(JSON.parse(shown.stdout))).toMatchObject({
      movedUnits: 8,
      written: false,
    });
    const ended = new Promise((resolve) => server!.once('exit', resolve));
    const left = await programs.dmremap('leave', images.mainPath, '--json');
    const answer = leaveAnswer.strict().parse(JSON.parse(left.stdout));
    expect(answer).toMatchObject({ version: 1, main: images.mainPath, returnedUnits: 8 });
    expect(await ended).toBe(0);
    expect(JSON.parse((await programs.dmremap('remaps', images.sparePath, '--json')).stdout).remaps).toEqual(
      [],
    );
    expect(readFileSync(images.mainPath).equals(before)).toBe(true);
    // Of a set that nobody serves, and that has nothing to bring back.
    const set = ['--main', images.mainPath, '--spare', images.sparePath];
    expect(await programs.dmremap('leave', ...set)).toMatchObject({ status: 0 });
    expect(await programs.dmremap('leave')).toMatchObject({ status: 2 });
  });

  it('forgets nothing while a unit does not come back, and says what to do instead', async () => {
    programs.faults('main:\n  - { sectors: "800-807", on: [write], error: ENODATA }\n');
    server = await serve(images.mainPath);
    await programs.dmremap('remap', 'add', images.mainPath, '792', '--count', '16');
    expect(await programs.dmremap('leave', images.mainPath)).toMatchObject({
      status: 6,
      stderr: expect.stringMatching(/1 unit stay.*sectors from 800: .*dmremap evacuate/),
    });
    expect(await servedSet()).toMatchObject({ processId: server.pid, remappedUnits: 1 });
  });
});

describe('replace-main', () => {
  it('takes a copy of the main device and no other disk, and keeps what was moved', async () => {
    server = await serve(images.mainPath);
    await programs.dmremap('remap', 'add', images.mainPath, '800', '--count', '8');
    await stopped();
    const copy = programs.image('copy.img', 16 * MIB);
    const spare = ['--spare', images.sparePath];
    expect(await programs.dmremap('replace-main', copy, ...spare, '--yes')).toMatchObject({
      status: 4,
      stderr: expect.stringMatching(/copy\.img: \d+ of \d+ sampled blocks differ/),
    });
    copyFileSync(images.mainPath, copy);
    truncateSync(copy, 20 * MIB);
    const shown = await programs.dmremap('replace-main', copy, ...spare, '--dry-run', '--json');
    expect(JSON.parse(shown.stdout)).toMatchObject({ written: false, remappedUnits: 1, differingBlocks: 0 });
    expect(await programs.dmremap('replace-main', copy, ...spare)).toMatchObject({ status: 2 });
    expect(await programs.dmremap('replace-main', copy, ...spare, '--yes')).toMatchObject({ status: 0 });
    expect(await programs.dmremap('metadata', 'check', images.sparePath)).toMatchObject({ status: 0 });
    const set = ['--main', images.mainPath, ...spare, '--nbd', `nbd+unix:///?socket=${programs.socketPath}`];
    expect(await programs.dmremap('run', ...set)).toMatchObject({ status: 4 });
    server = await serve(copy);
    expect(await servedSet()).toMatchObject({ main: { path: copy }, remappedUnits: 1 });
    const workload = new NbdWorkload(new BlockModel(BLOCK_COUNT, [], (block) => block + 1), BLOCK_COUNT, 7);
    await workload.verifyAll(programs.socketPath);
  });

  it('asks for --force where the last stop says nothing about the contents', async () => {
    server = await serve(images.mainPath);
    await kill();
    const copy = programs.image('copy.img', 16 * MIB);
    copyFileSync(images.mainPath, copy);
    const args = [copy, '--spare', images.sparePath, '--yes'];
    expect(await programs.dmremap('replace-main', ...args)).toMatchObject({ status: 4 });
    expect(await programs.dmremap('replace-main', ...args, '--force')).toMatchObject({ status: 0 });
  });
});

/** Until it was begun so many times. */
async function untilCopying(times = 1): Promise<void> {
  while (
    (await programs.dmremap('events', images.mainPath)).stdout.split('copying everything').length <= times
  )
    await delay(100);
}

interface ServedSet {
  readonly processId: number;
  readonly main: { readonly path: string };
  readonly remappedUnits: number;
  readonly unitsWithLostBlocks: number;
  readonly evacuation: { readonly path: string; readonly state: string } | null;
}

async function servedSet(): Promise<ServedSet> {
  return JSON.parse((await programs.dmremap('status', '--json')).stdout).sets[0];
}

/** The path leads to another file then. */
async function exchangeAndKill(path: string): Promise<void> {
  await kill();
  renameSync(path, `${path}.old`);
  programs.image('new.img', 16 * MIB);
}

function serve(mainPath: string): Promise<ChildProcess> {
  return programs.serve(mainPath, [images.sparePath]);
}

async function kill(): Promise<void> {
  await endBy(server, 'SIGKILL');
  server = undefined;
}

function stopped(): Promise<void> {
  return endBy(server, 'SIGTERM');
}
