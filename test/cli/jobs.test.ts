import type { ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, unlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JobReport } from '../../src/control/schema/jobs.js';
import { BlockModel } from '../../src/device/testing/block-model.js';
import { DiskImages } from '../support/disk-images.js';
import { NbdWorkload } from '../support/nbd-workload.js';
import type { ToolOutcome } from '../support/run-tool.js';
import { endBy, exitOf, SetPrograms } from '../support/set-programs.js';

const MIB = 1 << 20;
const BLOCK_COUNT = (16 * MIB) / 512;
/** A hundred units live on the first spare, and each takes its time to move. */
const SLOW_SPARE = 'spare:\n  - { on: [read], delayMs: 60 }\n';
/** Places that only copying reads: it takes some seconds. */
const SLOW_MAIN =
  'main:\n  - { sectors: "10008-10015,20008-20015,30008-30015", on: [read], delayMs: 2500 }\n';
const NO_FAULTS = 'main: []\n';
let images: DiskImages;
let programs: SetPrograms;
let further: string;
let workload: NbdWorkload;
let server: ChildProcess | undefined;

beforeEach(async () => {
  images = await DiskImages.create({
    mainBytes: 16 * MIB,
    spareBytes: 4 * MIB,
    fillMain: (path) => NbdWorkload.fillImage(path, BLOCK_COUNT),
  });
  programs = new SetPrograms(images);
  further = programs.image('further.img', 4 * MIB);
  workload = new NbdWorkload(new BlockModel(BLOCK_COUNT, [], (block) => block + 1), BLOCK_COUNT, 11);
  programs.faults(NO_FAULTS);
});

afterEach(async () => {
  await kill();
  images.remove();
});

describe('emptying a spare', () => {
  it('goes on by itself after kill -9, rests if it was paused, and ends with the command', async () => {
    await withTwoSpares();
    programs.faults(SLOW_SPARE);
    await restart();
    const load = workload.runUntilGone(programs.socketPath, 4);
    const command = programs.spawn('spare', 'remove', '0', '--set', images.mainPath);
    const { id } = await untilMoving();
    command.kill('SIGINT');
    expect(await exitOf(command)).toBe(130);
    await restart();
    await load;
    const next = await untilMoving();
    expect(next).toMatchObject({ id, kind: 'emptySpare', spareIndex: 0, path: images.sparePath });
    expect((await programs.dmremap('job', 'pause', images.mainPath, id)).stdout).toMatch(/paused\n$/);
    await restart();
    expect(await jobs()).toMatchObject([{ id, state: 'paused', movedUnits: 0 }]);
    // What moves now goes to the other one, though this one has room before it.
    await programs.dmremap('remap', 'add', images.mainPath, '20000');
    expect(await spareOf(20_000)).toBe(1);
    expect(await programs.dmremap('job', 'resume', images.mainPath, id)).toMatchObject({ status: 0 });
    await untilMoving();
    programs.faults(NO_FAULTS);
    await restart();
    expect(await programs.dmremap('spare', 'remove', '0', '--set', images.mainPath)).toMatchObject({
      status: 0,
    });
    await expectOnly(further);
    expect(stateFiles()).toEqual([]);
  });

  it('that was given up is not begun again, and one without room elsewhere not at all', async () => {
    await withTwoSpares();
    programs.faults(SLOW_SPARE);
    await restart();
    const command = programs.spawn('spare', 'remove', '0', '--set', images.mainPath);
    const { id } = await untilMoving();
    expect(await programs.dmremap('job', 'cancel', images.mainPath, id)).toMatchObject({ status: 0 });
    expect(await exitOf(command)).toBe(4);
    expect(await programs.dmremap('job', 'cancel', images.mainPath, id)).toMatchObject({ status: 0 });
    await restart();
    expect(await jobs()).toEqual([]);
    expect(await programs.dmremap('job', 'pause', images.mainPath, id)).toMatchObject({ status: 2 });
    expect((await servedSet()).emptying).toEqual([]);
  });
});

describe('migrating from a spare to another device', () => {
  it('survives kill -9 of the server in the midst, and takes the old one out', async () => {
    programs.faults(SLOW_SPARE);
    await serve([images.sparePath]);
    await programs.dmremap('remap', 'add', images.mainPath, '800', '--count', '800');
    const args = ['migrate', images.mainPath, '--from', '0', '--to', further];
    const shown = await programs.dmremap(...args, '--dry-run', '--json');
    expect(JSON.parse(shown.stdout)).toMatchObject({ written: false, to: further, movedUnits: 100 });
    // There is nobody to ask.
    expect(await programs.dmremap(...args)).toMatchObject({ status: 2 });
    const command = programs.spawn(...args, '--yes');
    await untilMoving();
    await restart();
    await untilMoving();
    programs.faults(NO_FAULTS);
    await restart();
    expect(await exitOf(command)).toBe(0);
    await expectOnly(further);
    const again = ['migrate', images.mainPath, '--from', images.sparePath, '--to', further, '--json'];
    expect(JSON.parse((await programs.dmremap(...again)).stdout)).toMatchObject({
      written: true,
      movedUnits: 0,
    });
  });

  it('goes to the spare that is named rather than to the first, and is refused where it makes no sense', async () => {
    await withTwoSpares();
    const third = programs.image('third.img', 4 * MIB);
    const migrate = (from: string, to: string, ...options: string[]): Promise<ToolOutcome> =>
      programs.dmremap('spare', 'migrate', from, to, '--set', images.mainPath, '--yes', ...options);
    expect(await migrate('0', images.sparePath)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('the same device'),
    });
    expect(await migrate(third, further)).toMatchObject({ status: 0 });
    expect(await migrate(third, '7')).toMatchObject({ status: 2 });
    expect(await migrate('1', images.mainPath)).toMatchObject({ status: 2 });
    expect(await migrate('0', third)).toMatchObject({ status: 0 });
    const { spares } = await servedSet();
    expect(spares.map(({ path }) => path)).toEqual([further, third]);
    expect(await spareOf(800)).toBe(1);
  });
});

describe('copying to another disk', () => {
  it('rests when it is paused, and after a stop until somebody agrees that it goes on', async () => {
    programs.faults(SLOW_MAIN);
    await serve([images.sparePath]);
    const target = programs.image('new.img', 16 * MIB);
    const command = programs.spawn('evacuate', images.mainPath, target, '--yes');
    await untilJob(({ progress: { done } }) => done > 0);
    command.kill('SIGKILL');
    expect(await programs.dmremap('job', 'pause', images.mainPath, 'evacuation')).toMatchObject({
      status: 0,
    });
    await kill();
    await serve([images.sparePath]);
    expect(await jobs()).toMatchObject([{ id: 'evacuation', state: 'paused', path: target }]);
    expect(await programs.dmremap('job', 'resume', images.mainPath, 'evacuation')).toMatchObject({
      status: 0,
    });
    await untilJob(({ state, progress: { done } }) => state === 'running' && done > 0);
    await stopInOrder();
    await serve([images.sparePath]);
    expect(await jobs()).toMatchObject([{ id: 'evacuation', state: 'paused', path: target }]);
    expect((await programs.dmremap('status', images.mainPath)).stdout).toContain('evacuation');
    expect(await programs.dmremap('job', 'resume', images.mainPath, 'evacuation')).toMatchObject({
      status: 4,
    });
    programs.faults(NO_FAULTS);
    await stopInOrder();
    await serve([images.sparePath]);
    // There is nobody to ask; then it needs no --force, whatever was copied.
    expect(await programs.dmremap('evacuate', images.mainPath)).toMatchObject({ status: 2 });
    expect(await programs.dmremap('evacuate', images.mainPath, '--yes')).toMatchObject({ status: 0 });
    expect((await servedSet()).main.path).toBe(target);
    unlinkSync(images.mainPath);
    await workload.verifyAll(programs.socketPath);
    expect(stateFiles()).toEqual([]);
  });

  it('that rests can be forgotten', async () => {
    programs.faults(SLOW_MAIN);
    await serve([images.sparePath]);
    const command = programs.spawn('evacuate', images.mainPath, programs.image('new.img', 16 * MIB), '--yes');
    await untilJob(({ state }) => state === 'running');
    command.kill('SIGKILL');
    await stopInOrder();
    expect(stateFiles()).toHaveLength(1);
    await serve([images.sparePath]);
    expect(await programs.dmremap('evacuate', images.mainPath, '--cancel')).toMatchObject({ status: 0 });
    expect([await jobs(), stateFiles()]).toEqual([[], []]);
  });
});

/** A hundred units live on the first one. */
async function withTwoSpares(): Promise<void> {
  await serve([images.sparePath]);
  await programs.dmremap('remap', 'add', images.mainPath, '800', '--count', '800');
  await programs.dmremap('spare', 'add', further, '--set', images.mainPath, '--yes');
}

/** Everything is there, and the first spare is none any more. */
async function expectOnly(path: string): Promise<void> {
  expect((await servedSet()).spares).toMatchObject([{ path }]);
  expect(await programs.dmremap('inspect', images.sparePath)).toMatchObject({ status: 5 });
  await workload.verifyAll(programs.socketPath);
  expect(workload.writeErrors).toEqual([]);
  expect(workload.lostBlocks.size).toBe(0);
}

async function untilMoving(): Promise<JobReport> {
  return untilJob(({ movedUnits, state }) => state === 'running' && movedUnits > 0);
}

async function untilJob(isMeant: (job: JobReport) => boolean): Promise<JobReport> {
  for (;;) {
    const found = (await jobs()).find(isMeant);
    if (found !== undefined) return found;
    await delay(50);
  }
}

/** None while nobody serves the set. */
async function jobs(): Promise<readonly JobReport[]> {
  const { status, stdout } = await programs.dmremap('jobs', images.mainPath, '--json');
  return status === 0 ? JSON.parse(stdout).jobs : [];
}

async function servedSet(): Promise<{
  readonly setId: string;
  readonly main: { readonly path: string };
  readonly spares: readonly { readonly path: string }[];
  readonly emptying: readonly unknown[];
}> {
  return JSON.parse((await programs.dmremap('status', '--json')).stdout).sets[0];
}

async function spareOf(mainSector: number): Promise<number> {
  const { setId, spares } = await servedSet();
  const listed = await programs.dmremap('remaps', ...spares.map(({ path }) => path), '--json');
  const { remaps } = JSON.parse(listed.stdout);
  expect(listed.stdout).toContain(setId);
  return remaps.find((remap: { mainSector: number }) => remap.mainSector === mainSector).spareIndex;
}

function stateFiles(): string[] {
  return existsSync(images.path('state'))
    ? readdirSync(images.path('state')).filter((name) => name.endsWith('.jobs'))
    : [];
}

/** kill -9, and the next one. */
async function restart(): Promise<void> {
  const before = existsSync(images.path('run')) ? (await servedSet()).spares.map(({ path }) => path) : [];
  await kill();
  await serve(before);
}

async function serve(spares: readonly string[]): Promise<void> {
  server = await programs.serve(images.mainPath, spares);
}

async function kill(): Promise<void> {
  await endBy(server, 'SIGKILL');
  server = undefined;
}

async function stopInOrder(): Promise<void> {
  await endBy(server, 'SIGTERM');
  server = undefined;
}
