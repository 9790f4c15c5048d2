import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JobReport } from '../../control/schema/jobs.js';
import type { DeviceNotice, EmptySpareCall } from '../../library/device-types.js';
import { DmRemapError } from '../../library/errors.js';
import { jobReport } from '../testing/job-report.js';
import { JobMemory } from './job-memory.js';
import { leavingSparesIn, readJobFiles } from './read-job-files.js';
import { ServerJobs, type ServerJobsParts } from './server-jobs.js';

const SET_ID = '0f0e0d0c-0b0a-4900-8000-000102030405';
const UUIDS = ['aaaaaaaa-1', 'bbbbbbbb-2', 'cccccccc-3'];
const ALL = { spareIndex: 0, acceptsLoss: false, toSpareIndex: undefined };
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dm-remap-jobs-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

/** Spares that say where units live, and lose one with each part; `isHeld` keeps a part from ending. */
class FakeDevice {
  readonly info = { spares: UUIDS.map((uuid, nth) => ({ uuid, path: `/dev/s${nth}` })) };
  readonly calls: (EmptySpareCall | string)[] = [];
  leftCount = 3;
  /** First sectors of units that do not move, and come first. */
  stuck: number[] = [];
  room = 100;
  scattered = [4, 3, 0];
  isAway = false;
  isHeld = false;
  problem: DmRemapError | undefined;

  async emptySpare(call: EmptySpareCall) {
    this.calls.push(call);
    while (this.isHeld && call.limit > 0) await delay(1);
    if (this.problem !== undefined && call.limit > 0) throw this.problem;
    const except = call.exceptSectors ?? [];
    const tried = Math.min(call.limit, this.leftCount - except.length);
    const refused = this.stuck.filter((sector) => !except.includes(sector)).slice(0, tried);
    const movedCount = Math.min(tried - refused.length, 1);
    this.leftCount -= movedCount;
    const refusals = refused.map((mainSector) => ({ mainSector, reason: 'bad' }));
    return { movedCount, refusals, leftCount: this.leftCount };
  }

  async keepSpare(spareIndex: number): Promise<void> {
    this.calls.push(`keep ${spareIndex}`);
  }

  async consolidate({ limit }: { limit: number }) {
    if (limit > 0 && this.scattered.length > 1) this.scattered.shift();
    return { movedCount: limit > 0 ? 2 : 0, refusals: [], scatteredRunCount: this.scattered[0]! };
  }

  async spareUse() {
    const use = { livingUnits: 0, freeUnits: this.room / 2, isLeaving: false, takesUnits: true };
    return [{ ...use, livingUnits: this.leftCount }, use, use];
  }

  async status() {
    return { suspended: false, gone: this.isAway ? [{ spareIndex: 1 }] : [] };
  }
}

async function processOn(device: FakeDevice, copying?: JobReport) {
  const files = await readJobFiles([directory]);
  const told: DeviceNotice[] = [];
  const memory = new JobMemory([directory], SET_ID, files.bySet.get(SET_ID), (problem) => {
    throw new Error(problem);
  });
  const evacuation = { job: async () => copying } as unknown as ServerJobsParts['evacuation'];
  const jobs = new ServerJobs({
    device: device as unknown as ServerJobsParts['device'],
    ...{ evacuation, memory, nowMs: () => performance.now() },
    tell: (notice) => told.push(notice),
  });
  await jobs.goOn();
  return { jobs, told, leaving: leavingSparesIn(files) };
}

async function ended(jobs: ServerJobs): Promise<JobReport> {
  for (;;) {
    const [job] = await jobs.list();
    if (job !== undefined && job.state !== 'running') return job;
    await delay(1);
  }
}

const names = (told: readonly DeviceNotice[]): string[] => told.map(({ event }) => event);

describe('the emptying of a spare', () => {
  it('ends when nothing lives there, and is remembered until the spare is used again or taken out', async () => {
    const device = new FakeDevice();
    const { jobs, told } = await processOn(device);
    expect(await jobs.emptySpare({ ...ALL, toSpareIndex: 2 })).toMatchObject({
      id: 'empty-aaaaaaaa',
      state: 'running',
      path: '/dev/s0',
      progress: { done: 0, total: 3, unit: 'units' },
    });
    expect(await ended(jobs)).toMatchObject({
      state: 'done',
      movedUnits: 3,
      progress: { done: 3, total: 3 },
    });
    expect(device.calls.at(-1)).toMatchObject({ spareIndex: 0, acceptsLoss: false, toSpareIndex: 2 });
    expect(names(told)).toEqual(['jobBegan', 'jobEnded']);
    const next = await processOn(device);
    expect([next.leaving, (await ended(next.jobs)).state]).toEqual([['aaaaaaaa-1'], 'done']);
    await next.jobs.keepSpare(0);
    expect(await next.jobs.list()).toMatchObject([{ state: 'cancelled' }]);
    expect([device.calls.at(-1), next.jobs.isEmptying(0)]).toEqual(['keep 0', false]);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('is not taken back for a spare that the set does not have', async () => {
    const device = new FakeDevice();
    const { jobs } = await processOn(device);
    await expect(jobs.keepSpare(9)).rejects.toMatchObject({
      failure: 'usage',
      message: expect.stringMatching(/^spare 9: the set has \d, from 0 on$/),
    });
    expect(device.calls).toEqual([]);
  });

  it('that has ended, whichever way, can be given up but neither paused nor resumed', async () => {
    const device = new FakeDevice();
    const { jobs, told } = await processOn(device);
    const id = 'empty-aaaaaaaa';
    const expectRefusals = async (state: string): Promise<void> => {
      const refusal = { failure: 'refused', message: expect.stringContaining(`has ended (${state})`) };
      await expect(jobs.pause(id)).rejects.toMatchObject(refusal);
      await expect(jobs.resume(id)).rejects.toMatchObject(refusal);
    };
    await jobs.emptySpare(ALL);
    await jobs.resume(id);
    expect(await ended(jobs)).toMatchObject({ state: 'done' });
    await expectRefusals('done');
    expect(await jobs.cancel(id)).toMatchObject({ state: 'cancelled' });
    await expectRefusals('cancelled');
    expect(await jobs.cancel(id)).toMatchObject({ state: 'cancelled' });
    expect(names(told)).toEqual(['jobBegan', 'jobEnded', 'jobEnded']);
    const copied = jobReport({ id: 'evacuation', kind: 'evacuation', state: 'done' });
    const { jobs: withCopy } = await processOn(device, copied);
    await expect(withCopy.pause('evacuation')).rejects.toMatchObject({ failure: 'refused' });
    await expect(withCopy.resume('evacuation')).rejects.toMatchObject({ failure: 'refused' });
  });

  it('goes on in the next process with what was asked for, and rests there if it rested', async () => {
    const device = new FakeDevice();
    device.isHeld = true;
    const first = await processOn(device);
    await first.jobs.emptySpare({ ...ALL, toSpareIndex: 1 });
    // Of the one who asked before it is not taken back, and of the one who asks later it is added.
    await first.jobs.emptySpare({ ...ALL, acceptsLoss: true });
    await first.jobs.emptySpare(ALL);
    expect(await first.jobs.list()).toHaveLength(1);
    expect(await first.jobs.pause('empty-aaaaaaaa')).toMatchObject({ state: 'paused' });
    await first.jobs.pause('empty-aaaaaaaa');
    expect(names(first.told)).toEqual(['jobBegan', 'jobPaused']);
    device.isHeld = false;
    await first.jobs.rest();
    const second = await processOn(device);
    const before = device.leftCount;
    await delay(20);
    expect(await second.jobs.list()).toMatchObject([{ state: 'paused', movedUnits: 0 }]);
    expect(device.leftCount).toBe(before);
    await second.jobs.resume('empty-aaaaaaaa');
    expect(await ended(second.jobs)).toMatchObject({ state: 'done' });
    expect(device.calls.at(-1)).toMatchObject({ acceptsLoss: true, toSpareIndex: 1 });
  });

  it('tries all before it fails, and says why', async () => {
    const device = new FakeDevice();
    device.leftCount = 30;
    device.stuck = Array.from({ length: 20 }, (_, nth) => 8 * nth);
    const { jobs, told } = await processOn(device);
    await jobs.emptySpare(ALL);
    expect(await ended(jobs)).toMatchObject({
      state: 'failed',
      movedUnits: 10,
      problem: "spare 0: 20 units can't be moved to the others; sectors from 0: bad",
    });
    expect(told.at(-1)).toMatchObject({ level: 'error', event: 'jobEnded' });
    device.stuck = [];
    await jobs.emptySpare(ALL);
    expect(await ended(jobs)).toMatchObject({ state: 'done', problem: null });
  });

  it('waits for a spare that is away rather than to fail', async () => {
    const device = new FakeDevice();
    device.isAway = true;
    device.problem = new DmRemapError('io', 'a spare did not take part');
    const { jobs } = await processOn(device);
    await jobs.emptySpare(ALL);
    await delay(20);
    expect(await jobs.list()).toMatchObject([{ state: 'running', isWaiting: true, movedUnits: 0 }]);
    // Where requests are held it would not be answered.
    expect(device.calls).toMatchObject([{ limit: 0 }]);
    device.isAway = false;
    expect(await ended(jobs)).toMatchObject({ state: 'failed', problem: 'a spare did not take part' });
  });

  it.each([
    [ALL, 2, 'refused', '3 unit(s) live on it, and the others have room for 2'],
    [{ ...ALL, toSpareIndex: 0 }, 100, 'usage', 'to itself'],
    [{ ...ALL, toSpareIndex: 3 }, 100, 'usage', 'the set has 3'],
  ])('is refused where it makes no sense', async (request, room, failure, message) => {
    const device = new FakeDevice();
    device.room = room;
    const { jobs } = await processOn(device);
    await expect(jobs.emptySpare(request)).rejects.toMatchObject({
      failure,
      message: expect.stringContaining(message),
    });
    expect([device.calls, await jobs.list(), readdirSync(directory)]).toEqual([[], [], []]);
  });

  it('given up in the midst moves nothing more, and no process begins it again', async () => {
    const device = new FakeDevice();
    device.isHeld = true;
    const { jobs } = await processOn(device);
    await jobs.emptySpare(ALL);
    const cancelling = jobs.cancel('empty-aaaaaaaa');
    device.isHeld = false;
    expect(await cancelling).toMatchObject({ state: 'cancelled' });
    expect(await jobs.cancel('empty-aaaaaaaa')).toMatchObject({ state: 'cancelled' });
    expect([device.leftCount, await jobs.cancel('empty-cccccccc')]).toEqual([2, undefined]);
    expect((await processOn(device)).leaving).toEqual([]);
  });

  it('is forgotten when the set does not have the spare any more', async () => {
    const device = new FakeDevice();
    const { jobs } = await processOn(device);
    await jobs.emptySpare(ALL);
    await ended(jobs);
    device.info.spares.shift();
    const next = await processOn(device);
    expect([await next.jobs.list(), readdirSync(directory)]).toEqual([[], []]);
  });
});

describe('putting units together', () => {
  it('ends when nothing is scattered, is remembered until then, and begins anew when asked again', async () => {
    const device = new FakeDevice();
    const { jobs } = await processOn(device);
    expect(await jobs.consolidate()).toMatchObject({ id: 'consolidate', progress: { done: 0, total: 4 } });
    expect(readdirSync(directory)).toEqual([`${SET_ID}.jobs`]);
    expect(await ended(jobs)).toMatchObject({
      state: 'done',
      movedUnits: 4,
      progress: { done: 4, unit: 'runs' },
    });
    await jobs.rest();
    expect(readdirSync(directory)).toEqual([]);
    device.scattered = [2, 2];
    await (await processOn(device)).jobs.consolidate();
    const next = await processOn(device);
    // As much as before is left: the same would be moved for ever.
    expect(await ended(next.jobs)).toMatchObject({ state: 'done', progress: { done: 0, total: 2 } });
  });
});
