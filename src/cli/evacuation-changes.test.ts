import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatUuid } from '../format/set-id.js';
import type { EvacuationReport, ProtectedDevice } from '../library/device-types.js';
import { DmRemapError } from '../library/errors.js';
import type { EvacuationOptions, EvacuationPlan } from '../library/plan-evacuation.js';
import type { ReplaceMainOptions, ReplaceMainPlan } from '../library/replace-main.js';
import { EvacuationChanges } from './evacuation-changes.js';
import { EvacuationMemory } from './evacuation-memory.js';
import { JobMemory } from './jobs/job-memory.js';
import { readJobFiles } from './jobs/read-job-files.js';
import { SetChanges } from './set-changes.js';

const SET_ID = '0f0e0d0c-0b0a-4900-8000-000102030405';
const NEW = '/dev/sdz';
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dm-remap-evacuation-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

/** A process that serves a set with a block device; `state`: of what it copies. */
async function processOf(
  state: EvacuationReport['state'] | undefined,
  identity = 'disk 1',
  bootId = 'boot 1',
  hasCopy = false,
) {
  const asked: EvacuationOptions[] = [];
  const replaced: ReplaceMainOptions[] = [];
  const begun: string[] = [];
  const copyIds: string[] = [];
  const report = state && ({ path: NEW, state, problem: null } as EvacuationReport);
  const device = {
    info: { sizeBytes: 1 << 30, logicalBlockBytes: 512, geometry: { queue: { volatileCache: false } } },
    ublk: { path: '/dev/ublkb1' },
    evacuation: async () => report,
    cancelEvacuation: async () => report,
    pauseEvacuation: async () => void begun.push('pause'),
    resumeEvacuation: async () => void begun.push('resume'),
    evacuate: async (path: string, copyId: Uint8Array) => {
      begun.push(path);
      copyIds.push(formatUuid(copyId));
      return report ?? ({ path, state: 'copying' } as EvacuationReport);
    },
  } as unknown as ProtectedDevice;
  const library = {
    planEvacuation: async (options: EvacuationOptions) => {
      asked.push(options);
      return { sizeBytes: options.sizeBytes } as EvacuationPlan;
    },
    replaceMain: async (options: ReplaceMainOptions) => {
      replaced.push(options);
      return { setId: SET_ID } as ReplaceMainPlan;
    },
    identifyDisk: async () => identity,
    holdsCopy: async (main: string, path: string) => hasCopy && main === '/dev/sdx' && path === NEW,
  };
  const changes = new SetChanges();
  const { bySet } = await readJobFiles([directory]);
  const jobs = new JobMemory([directory], SET_ID, bySet.get(SET_ID), () => {});
  const memory = new EvacuationMemory(jobs, bootId);
  const options = { main: '/dev/sdx', spares: ['/dev/sdy'] };
  const evacuation = new EvacuationChanges(options, device, changes, library, memory);
  return { evacuation, device, library, changes, memory, asked, replaced, begun, copyIds };
}

const begin = { device: NEW, force: false, dryRun: false };

describe('a set that is copied to another disk by its process', () => {
  it('is not copied to itself, and its users are known not to flush', async () => {
    const { evacuation, asked } = await processOf(undefined);
    for (const device of ['/dev/ublkb1', '/dev/ublkb1p2'])
      await expect(evacuation.begin({ ...begin, device })).rejects.toMatchObject({ failure: 'usage' });
    await evacuation.begin({ ...begin, device: '/dev/ublkb10', dryRun: true });
    expect(asked).toMatchObject([{ device: '/dev/ublkb10', isNeverFlushed: true, force: false }]);
  });

  it('is copied again by the next process, to the very same disk only', async () => {
    await (await processOf(undefined)).evacuation.begin(begin);
    const next = await processOf(undefined);
    expect(await next.evacuation.resume()).toBeUndefined();
    expect(next.begun).toEqual([NEW]);
    const other = await processOf(undefined, 'disk 2');
    expect(await other.evacuation.resume()).toContain('another disk');
    expect(other.begun).toEqual([]);
    expect(await (await processOf(undefined)).evacuation.resume()).toBeUndefined();
  });

  it('is one copying under one number until it ends, or its position is lost', async () => {
    const first = await processOf(undefined);
    await first.evacuation.begin(begin);
    await first.evacuation.begin(begin);
    const next = await processOf(undefined, 'disk 1', 'boot 2', true);
    await next.evacuation.resume();
    const [copyId] = first.copyIds;
    expect([...first.copyIds, ...next.copyIds]).toEqual([copyId, copyId, copyId]);
    next.memory.notice({ event: 'evacuationPositionLost' });
    // Written after that, and one after the other.
    await next.memory.notePaused(false);
    const anew = await processOf(undefined, 'disk 1', 'boot 2');
    await anew.evacuation.resume();
    expect(anew.copyIds[0]).not.toBe(copyId);
    const again = await processOf(undefined, 'disk 1', 'boot 2');
    await again.evacuation.resume();
    expect(again.copyIds).toEqual(anew.copyIds);
    await again.evacuation.cancel();
    await again.evacuation.begin(begin);
    expect(again.copyIds[1]).not.toBe(again.copyIds[0]);
  });

  it('is remembered with the disk that it goes to, whatever else was asked for at the same time', async () => {
    const { evacuation, device, memory } = await processOf(undefined);
    let taken: string | undefined;
    device.evacuate = async (path) => {
      taken ??= path;
      if (path !== taken) throw new DmRemapError('refused', 'everything is being copied already');
      return { path, state: 'copying' } as EvacuationReport;
    };
    const asked = [NEW, '/dev/sdw'].map((disk) => evacuation.begin({ ...begin, device: disk }));
    const answers = await Promise.allSettled(asked);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(memory.read()).toMatchObject({ device: taken });
  });

  it('stays remembered where another copying, which was resumed at the same time, does not go on', async () => {
    const first = await processOf(undefined);
    await first.evacuation.begin(begin);
    await first.memory.notePaused(true);
    const { evacuation, library, memory } = await processOf(undefined);
    const { identifyDisk } = library;
    library.identifyDisk = async () => {
      library.identifyDisk = identifyDisk;
      await evacuation.begin({ ...begin, device: '/dev/sdw' });
      return 'disk 1';
    };
    await expect(evacuation.resumeJob()).rejects.toThrow('cancelled');
    expect(memory.read()).toMatchObject({ device: '/dev/sdw' });
  });

  it('is not begun behind the back of who gives it up', async () => {
    const { evacuation, begun, memory, device } = await processOf(undefined);
    device.cancelEvacuation = async () => void begun.push('cancel') as undefined;
    await Promise.all([evacuation.begin(begin), evacuation.cancel()]);
    expect(begun).toEqual([NEW, 'cancel']);
    expect(memory.read()).toBeUndefined();
  });

  it.each([
    'begun again',
    'gone on with',
  ])('does not get the number of a lost position back while it is %s', async (how) => {
    const first = await processOf(undefined);
    await first.evacuation.begin(begin);
    const isAgain = how === 'begun again';
    const next = isAgain ? await processOf('copying') : await processOf(undefined, 'disk 1', 'boot 2', true);
    const { identifyDisk } = next.library;
    let isFirst = true;
    next.library.identifyDisk = () => {
      if (isFirst) next.memory.notice({ event: 'evacuationPositionLost' });
      isFirst = false;
      return identifyDisk();
    };
    if (isAgain) await next.evacuation.begin(begin);
    else await next.evacuation.resume();
    expect(next.memory.read()).toMatchObject({ device: NEW });
    expect(next.memory.read()?.copyId).not.toBe(first.copyIds[0]);
  });

  it('rests after a reboot and after a stop in order, until somebody begins it again, and needs no --force then', async () => {
    for (const [isStopped, bootId] of [
      [false, 'boot 2'],
      [true, 'boot 1'],
    ] as const) {
      const first = await processOf(undefined);
      await first.evacuation.begin(begin);
      if (isStopped) await first.memory.noteStopped();
      const { evacuation, begun, asked } = await processOf(undefined, 'disk 1', bootId);
      expect(await evacuation.resume()).toBeUndefined();
      expect(await evacuation.job()).toMatchObject({ state: 'paused', path: NEW });
      await expect(evacuation.resumeJob()).rejects.toMatchObject({ failure: 'refused' });
      expect(begun).toEqual([]);
      await evacuation.begin(begin);
      expect([begun, asked]).toMatchObject([[NEW], [{ force: true }]]);
      const other = await processOf(undefined, 'disk 2', bootId);
      await other.evacuation.begin({ ...begin, dryRun: true });
      expect(other.asked).toMatchObject([{ force: false }]);
      await other.evacuation.cancel();
      expect(await (await processOf(undefined)).evacuation.job()).toBeUndefined();
    }
  });

  it('goes on after a power cut where the disk holds what was copied, and then after a kill', async () => {
    const first = await processOf(undefined);
    await first.evacuation.begin(begin);
    const next = await processOf(undefined, 'disk 1', 'boot 2', true);
    expect(await next.evacuation.resume()).toBeUndefined();
    expect([next.begun, next.asked]).toMatchObject([[NEW], [{ device: NEW, force: true }]]);
    const killed = await processOf(undefined, 'disk 1', 'boot 2');
    expect(await killed.evacuation.resume()).toBeUndefined();
    expect(killed.begun).toEqual([NEW]);
    await killed.memory.noteStopped();
    const stopped = await processOf(undefined, 'disk 1', 'boot 3', true);
    expect(await stopped.evacuation.resume()).toBeUndefined();
    expect(stopped.begun).toEqual([]);
  });

  it('rests after a power cut if another disk has its name, or the disk does not fit any more, and says so', async () => {
    await (await processOf(undefined)).evacuation.begin(begin);
    const other = await processOf(undefined, 'disk 2', 'boot 2', true);
    expect(await other.evacuation.resume()).toBeUndefined();
    const next = await processOf(undefined, 'disk 1', 'boot 2', true);
    next.library.planEvacuation = () => Promise.reject(new DmRemapError('refused', 'has a write cache'));
    expect(await next.evacuation.resume()).toBe('has a write cache');
    expect([other.begun, next.begun]).toEqual([[], []]);
    expect(await next.evacuation.job()).toMatchObject({ state: 'paused', path: NEW });
  });

  it('is not remembered where it could not begin', async () => {
    const { evacuation, memory, device } = await processOf(undefined);
    device.evacuate = () => Promise.reject(new DmRemapError('refused', 'another one is copied to'));
    await expect(evacuation.begin(begin)).rejects.toMatchObject({ failure: 'refused' });
    expect(memory.read()).toBeUndefined();
  });

  it('that was paused rests in the next process, too, until it is resumed', async () => {
    const first = await processOf('copying');
    await first.evacuation.begin(begin);
    await first.evacuation.pause();
    const { evacuation, begun } = await processOf(undefined);
    expect(await evacuation.resume()).toBeUndefined();
    expect(begun).toEqual([]);
    await evacuation.resumeJob();
    expect([first.begun, begun]).toEqual([[NEW, 'pause'], [NEW]]);
    const next = await processOf(undefined);
    await next.evacuation.resume();
    expect(next.begun).toEqual([NEW]);
  });

  it.each(['evacuationFailed', 'evacuationCancelled'])('is not copied again after %s', async (event) => {
    const { evacuation, memory } = await processOf(undefined);
    await evacuation.begin(begin);
    memory.notice({ event: 'evacuationCopied' });
    expect(memory.read()).toMatchObject({ device: NEW, identity: 'disk 1' });
    memory.notice({ event });
    expect(memory.read()).toBeUndefined();
  });

  it('goes on with the new disk when that holds everything, and forgets the copying', async () => {
    const { evacuation, changes, memory, replaced } = await processOf('copied');
    await evacuation.begin(begin);
    const finished = evacuation.finish(Promise.resolve());
    const change = await changes.wanted;
    const commandLine = await change.make(Promise.resolve({ isEvacuated: true }));
    expect(commandLine(['run', '--main', '/dev/sdx'])).toEqual(['run', '--main', NEW]);
    expect(await finished).toEqual({ setId: SET_ID });
    expect(replaced).toMatchObject([{ spares: ['/dev/sdy'], device: NEW, remaps: 'withLoss' }]);
    expect(memory.read()).toBeUndefined();
  });

  it('goes on with the old disk where the new one did not take everything in the end', async () => {
    const { evacuation, changes, memory, replaced } = await processOf('copied');
    await evacuation.begin(begin);
    const finished = evacuation.finish(Promise.resolve());
    const refused = expect(finished).rejects.toMatchObject({ failure: 'io' });
    const change = await changes.wanted;
    const commandLine = await change.make(Promise.resolve({ isEvacuated: false }));
    expect(commandLine(['run', '--main', '/dev/sdx'])).toEqual(['run', '--main', '/dev/sdx']);
    await refused;
    expect(replaced).toEqual([]);
    expect(memory.read()).toBeDefined();
  });

  it('goes on with the old disk where the name is that of another one by now', async () => {
    await (await processOf(undefined)).evacuation.begin(begin);
    const { evacuation, changes, replaced } = await processOf('copied', 'disk 2');
    const refused = expect(evacuation.finish(Promise.resolve())).rejects.toMatchObject({
      failure: 'refused',
    });
    const change = await changes.wanted;
    await change.make(Promise.resolve({ isEvacuated: true }));
    await refused;
    expect(replaced).toEqual([]);
  });

  it.each([
    'copying',
    'failed',
    undefined,
  ] as const)('has nothing to finish while it is %s', async (state) => {
    const { evacuation } = await processOf(state);
    await expect(evacuation.finish(Promise.resolve())).rejects.toBeInstanceOf(DmRemapError);
  });
});
