import { describe, expect, it } from 'vitest';
import { NoAnswer } from '../control/client/no-answer.js';
import type { RunningSet } from '../control/client/running-sets.js';
import type { DeviceResource } from '../control/schema/device.js';
import { type JobReport, jobSchema } from '../control/schema/jobs.js';
import { DmRemapError } from '../library/errors.js';
import { ANSWER_SCHEMAS } from './answer-schemas.js';
import { runCommandLine } from './command-line.js';
import { deviceResource } from './testing/device-resource.js';
import { fakeContext } from './testing/fake-context.js';
import { jobReport } from './testing/job-report.js';

const SPARES = ['/dev/sdb', '/dev/sdc'].map((path) => ({ ...deviceResource().spares[0]!, path }));

interface World {
  /** What each look finds; the last one counts for all that follow. */
  readonly jobs?: readonly (readonly JobReport[])[];
  readonly device?: Partial<DeviceResource>;
  readonly livingUnits?: number;
  readonly removed?: readonly (Error | undefined)[];
  /** From the first moment, or while a spare is added, emptied or taken out, which never ends then. */
  readonly interrupted?: boolean | 'planning' | 'adding' | 'moving' | 'removing';
}

/** A set at work; what it was asked for. */
function world({ jobs = [[]], device: changes = {}, livingUnits = 10, removed = [], interrupted }: World) {
  const calls: string[] = [];
  let device = deviceResource({ spares: SPARES, ...changes });
  let look = 0;
  let removal = 0;
  const note = (call: string) => {
    calls.push(call);
    return jobReport(call.startsWith('pause') ? { state: 'paused' } : {});
  };
  const looked = async () => jobs[Math.min(look++, jobs.length - 1)]!;
  const client = {
    device: async () => device,
    jobs: () => (interrupted === 'moving' ? new Promise<never>(() => {}) : looked()),
    pauseJob: async (id: string) => note(`pause ${id}`),
    resumeJob: async (id: string) => note(`resume ${id}`),
    cancelJob: async (id: string) => note(`cancel ${id}`),
    consolidate: async () => note('consolidate'),
    emptySpare: async (index: number, body: object) => {
      if (interrupted === 'moving') setTimeout(() => interrupt('SIGINT'));
      return note(`empty ${index} ${JSON.stringify(body)}`);
    },
    spareUse: async () =>
      SPARES.map(() => ({ livingUnits, freeUnits: 50, isLeaving: false, takesUnits: true })),
    addSpare: async ({ device: path, dryRun }: { device: string; dryRun?: boolean }) => {
      calls.push(`add ${path}${dryRun ? ' dry' : ''}`);
      if (interrupted === (dryRun ? 'planning' : 'adding')) return interruptedForEver();
      const added = { ...SPARES[0]!, path };
      if (!dryRun) device = { ...device, spares: [...device.spares, added] };
      const disk = { ...added, signature: null };
      return {
        ...{ version: 1, setId: device.setId, name: 'attic', device: disk, spareIndex: 2, unitBytes: 4096 },
        ...{ usableSpareUnitsBefore: 100, usableSpareUnits: 150 },
      };
    },
    removeSpare: async (index: number) => {
      calls.push(`remove ${index}`);
      if (interrupted === 'removing') return interruptedForEver();
      const failure = removed[removal++];
      if (!(failure instanceof DmRemapError && failure.message.includes('before')))
        device = { ...device, spares: device.spares.filter((_, nth) => nth !== index) };
      if (failure !== undefined) throw failure;
      const { setId, name, unitBytes, usableSpareUnits } = device;
      return { version: 1, setId, name, path: '', unitBytes, usableSpareUnits };
    },
  };
  const setNow = () => ({ client, device }) as unknown as RunningSet;
  let interrupt: (signal: 'SIGINT') => void = () => {};
  const next = () => {
    if (interrupted === true) return Promise.resolve('SIGINT' as const);
    return new Promise<'SIGINT'>((resolve) => {
      interrupt = resolve;
    });
  };
  const interruptedForEver = () => {
    setTimeout(() => interrupt('SIGINT'));
    return new Promise<never>(() => {});
  };
  const faked = fakeContext({
    running: { all: async () => [setNow()], one: async () => setNow() },
    stopSignals: { next },
    calls: { isProcessAlive: async () => true },
  });
  return { ...faked, calls };
}

const done = jobReport({ state: 'done', movedUnits: 10 });

describe('long work', () => {
  it('is listed with its progress, for people and programs, and changed by its id', async () => {
    const resting = jobReport({ id: 'evacuation', kind: 'evacuation', state: 'paused', problem: 'why' });
    const { context, out } = world({ jobs: [[jobReport(), resting]] });
    expect(await runCommandLine(['jobs', 'attic'], context)).toBe(0);
    expect(out.text).toMatch(
      /empty-aa +running +emptying spare 0 \(\/dev\/sdb\) +4 of 10 units \(40 %\), 2.0\/s, 3 s left\n/,
    );
    expect(out.text).toContain('evacuation: why\n');
    out.text = '';
    await runCommandLine(['jobs', 'attic', '--json'], context);
    expect(ANSWER_SCHEMAS.jobs.strict().parse(JSON.parse(out.text)).jobs).toHaveLength(2);
    const changing = world({});
    for (const verb of ['pause', 'resume', 'cancel'])
      await runCommandLine(['job', verb, 'attic', 'empty-aa'], changing.context);
    expect(changing.calls).toEqual(['pause empty-aa', 'resume empty-aa', 'cancel empty-aa']);
    expect(changing.out.text).toMatch(/^emptying spare 0 \(\/dev\/sdb\): 4 of 10 units \(40 %\), paused\n/);
    changing.out.text = '';
    await runCommandLine(['job', 'pause', 'attic', 'empty-aa', '--json'], changing.context);
    expect(ANSWER_SCHEMAS['job pause'].strict().parse(JSON.parse(changing.out.text)).changed).toBe(true);
    const running = world({ jobs: [[jobReport()]] });
    expect(await runCommandLine(['job', 'resume', 'attic', 'empty-aa'], running.context)).toBe(0);
    expect(running.out.text).toMatch(/, 3 s left \(nothing was changed\)\n$/);
    running.out.text = '';
    await runCommandLine(['job', 'resume', 'attic', 'empty-aa', '--json'], running.context);
    expect(ANSWER_SCHEMAS['job resume'].strict().parse(JSON.parse(running.out.text)).changed).toBe(false);
  });

  it('is waited for while it is under way or rests; Ctrl-C ends the command and says that it goes on', async () => {
    const paused = jobReport({ state: 'paused' });
    const { context, calls } = world({ jobs: [[jobReport()], [paused], [done]] });
    expect(await runCommandLine(['spare', 'remove', '0', '--set', 'attic', '--empty-only'], context)).toBe(0);
    expect(calls).toEqual(['empty 0 {"acceptsLoss":false}']);
    const stopped = world({ jobs: [[jobReport()]], interrupted: true });
    expect(await runCommandLine(['spare', 'remove', '0', '--set', 'attic'], stopped.context)).toBe(130);
    expect(stopped.err.text).toContain('goes on; "dmremap jobs attic" shows it');
    expect(stopped.calls).toHaveLength(1);
  });

  it.each([
    [['spare', 'remove', '0', '--set', 'attic'], { path: '/dev/sdb', usableSpareUnits: 400 }],
    [['spare', 'remove', '0', '--set', 'attic', '--empty-only'], { spareIndex: 0, takesUnits: false }],
    [['remap', 'consolidate', 'attic'], { movedCount: 4, scatteredRunCount: 6 }],
  ])('%j that is interrupted prints the document with how far it is', async (line, asOtherwise) => {
    const { context, out } = world({ interrupted: true });
    expect(await runCommandLine([...line, '--json'], context)).toBe(130);
    expect(JSON.parse(out.text)).toMatchObject({ version: 1, ...asOtherwise, interrupted: true });
    expect(jobSchema.parse(JSON.parse(out.text).job)).toMatchObject({ state: 'running', movedUnits: 4 });
  });

  it.each([
    [[jobReport({ state: 'failed', problem: 'no way' })], 'io', 'no way'],
    [[jobReport({ state: 'cancelled' })], 'refused', 'somebody has cancelled it'],
    [[], 'device', 'does not know of it any more'],
  ])('that does not end well is a failure', async (last, failure, message) => {
    const { context } = world({ jobs: [[jobReport()], last] });
    await expect(runCommandLine(['spare', 'remove', '0', '--set', 'attic'], context)).rejects.toMatchObject({
      failure,
      message: expect.stringContaining(message),
    });
  });

  it('of consolidating tells what is left, also where some units stay', async () => {
    const progress = { ...done.progress, done: 3, total: 4 };
    const refusals = [{ mainSector: 8, reason: 'bad' }];
    const failed = jobReport({ state: 'failed', problem: 'sectors from 8 stay', progress, refusals });
    const { context, out } = world({ jobs: [[failed]] });
    const line = ['remap', 'consolidate', 'attic', '--json'];
    expect(await runCommandLine(line, context)).toBe(6);
    const error = { failure: 'io', status: 6, message: 'sectors from 8 stay' };
    expect(JSON.parse(out.text)).toEqual({
      version: 1,
      movedCount: 4,
      refusals,
      scatteredRunCount: 1,
      error,
    });
  });
});

describe('migrating from one spare to another device', () => {
  const line = ['migrate', 'attic', '--from', '/dev/sdb', '--to', '/dev/sdd', '--json'];

  it('adds it, has everything moved there, and takes the first out', async () => {
    const { context, calls, out } = world({ jobs: [[done]] });
    expect(await runCommandLine([...line, '--yes', '--accept-loss'], context)).toBe(0);
    expect(calls).toEqual([
      'add /dev/sdd dry',
      'add /dev/sdd',
      'empty 0 {"acceptsLoss":true,"toSpareIndex":2}',
      'remove 0',
    ]);
    expect(ANSWER_SCHEMAS.migrate.strict().parse(JSON.parse(out.text))).toMatchObject({
      ...{ written: true, from: '/dev/sdb', to: '/dev/sdd', movedUnits: 10 },
    });
  });

  it('adds nothing where it is a spare, asks nobody then, and has nothing to do when it was done', async () => {
    const { context, calls } = world({ jobs: [[done]] });
    expect(await runCommandLine(['spare', 'migrate', '0', '1', '--set', 'attic'], context)).toBe(0);
    expect(calls).toEqual(['empty 0 {"acceptsLoss":false,"toSpareIndex":1}', 'remove 0']);
    const again = world({ device: { spares: SPARES.slice(1) } });
    const over = ['migrate', 'attic', '--from', '/dev/sdb', '--to', '/dev/sdc'];
    expect(await runCommandLine(over, again.context)).toBe(0);
    expect([again.calls, again.out.text]).toEqual([[], expect.stringContaining('there is nothing to move')]);
  });

  it('shows what it would do, with the units that would move, and does nothing without consent', async () => {
    const dry = world({});
    expect(await runCommandLine([...line, '--dry-run'], dry.context)).toBe(0);
    expect(ANSWER_SCHEMAS.migrate.strict().parse(JSON.parse(dry.out.text))).toMatchObject({
      ...{ written: false, movedUnits: 10, usableSpareUnits: 150 },
    });
    const asked = world({});
    const context = { ...asked.context, ask: async () => 'no' };
    expect(await runCommandLine(line, context)).toBe(1);
    expect(asked.err.text).toMatch(
      /spare 2: \/dev\/sdd.*WILL BE OVERWRITTEN[\s\S]*from: \/dev\/sdb: 10 units to/,
    );
    expect([...dry.calls, ...asked.calls]).toEqual(['add /dev/sdd dry', 'add /dev/sdd dry']);
  });

  it.each([
    ['adding', /goes on adding \/dev\/sdd; call the command again to have everything moved there\n$/],
    ['removing', /goes on taking it out; "dmremap status attic" shows whether it is out by now/],
  ] as const)('tells a person who interrupts the %s what goes on', async (interrupted, told) => {
    const { context, err, out } = world({ jobs: [[done]], interrupted });
    expect(await runCommandLine([...line.slice(0, -1), '--yes'], context)).toBe(130);
    expect(err.text).toMatch(told);
    expect(out.text).toBe('');
  });

  it.each([
    [{ interrupted: 'planning' }, { movedUnits: 0 }],
    [{ interrupted: 'adding' }, { movedUnits: 0 }],
    [{ interrupted: 'moving' }, { movedUnits: 4, job: { state: 'running' } }],
    [{ interrupted: 'removing' }, { movedUnits: 10, job: { state: 'done' } }],
  ] as const)('that is interrupted (%j) prints the document with how far it is', async (around, soFar) => {
    const { context, out } = world({ jobs: [[done]], ...around });
    expect(await runCommandLine([...line, '--yes'], context)).toBe(130);
    expect(ANSWER_SCHEMAS.migrate.strict().parse(JSON.parse(out.text))).toMatchObject({
      ...{ written: false, from: '/dev/sdb', to: '/dev/sdd', interrupted: true },
      ...soFar,
    });
  });

  it.each([
    [{ livingUnits: 101 }, '/dev/sdd', 'refused', 'would have room for 100'],
    [{}, '/dev/sdb', 'usage', 'the same device'],
    [{}, '7', 'usage', '7: no spare of the set'],
    [{ device: { evacuation: { state: 'copying', path: '/dev/sdz' } } }, '1', 'refused', 'being copied'],
  ])('is refused where it makes no sense', async (around, to, failure, message) => {
    const { context, calls } = world(around as World);
    const asked = runCommandLine(['migrate', 'attic', '--from', '0', '--to', to, '--yes'], context);
    await expect(asked).rejects.toMatchObject({ failure, message: expect.stringContaining(message) });
    expect(calls.filter((call) => !call.endsWith('dry'))).toEqual([]);
  });

  it.each([
    ['before', 2],
    ['after', 1],
  ])('takes the spare out also where the process dies %s it is out', async (when, count) => {
    const { context, calls } = world({ jobs: [[done]], removed: [new NoAnswer('s', when)] });
    expect(await runCommandLine(['spare', 'migrate', '0', '1', '--set', 'attic'], context)).toBe(0);
    expect(calls.filter((call) => call === 'remove 0')).toHaveLength(count);
  });
});
