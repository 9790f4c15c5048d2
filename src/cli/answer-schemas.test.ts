import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningSet } from '../control/client/running-sets.js';
import type { DeviceResource } from '../control/schema/device.js';
import type { CheckReport } from '../library/metadata-types.js';
import type { ScannedSet } from '../library/scan-types.js';
import { ANSWER_SCHEMAS, failedAnswer } from './answer-schemas.js';
import type { LibraryCalls } from './cli-context.js';
import { runCommandLine } from './command-line.js';
import { reportErrorAsJson } from './report-error.js';
import { deviceResource } from './testing/device-resource.js';
import {
  fakeContext,
  formatPlan,
  inspectReport,
  recordingOutput,
  remapReport,
} from './testing/fake-context.js';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'dm-remap-answers-'));
  writeFileSync(join(directory, 'attic.yaml'), 'sets:\n  attic: { main: /dev/sda, spares: [/dev/sdb] }\n');
});
afterAll(() => rmSync(directory, { recursive: true }));

describe('the answer to a program', () => {
  it('of config check has the files and the sets', async () => {
    const config = join(directory, 'attic.yaml');
    const { answer } = await answerOf('config check', ['config', 'check', '--config', config]);
    expect(answer).toEqual({ version: 1, files: [config], sets: ['attic'] });
  });

  it('of stop has the set, whichever way it was named', async () => {
    const calls = { endProcess: async () => {}, stopBlockDevice: async () => ({ setId: SET_ID }) };
    expect(await answerOf('stop', ['stop', 'attic'], { calls, sets: [{}] })).toMatchObject({
      answer: { setId: SET_ID, name: 'attic', blockDevice: null },
    });
    expect(await answerOf('stop', ['stop', '/dev/ublkb7'], { calls })).toMatchObject({
      answer: { setId: SET_ID, name: null, blockDevice: '/dev/ublkb7' },
    });
  });

  it('of remove has every set, those that stay with the reason; --dry-run ends nothing', async () => {
    const ended: number[] = [];
    const calls = { endProcess: async (processId: number) => void ended.push(processId) };
    const sets = [{ processId: 11 }, { name: 'cellar', processId: 12, connections: 2 }];
    const dry = await answerOf('remove', ['remove', '--all', '--dry-run'], { calls, sets });
    expect(dry).toMatchObject({
      status: 4,
      answer: { written: false, sets: [{ name: 'attic', outcome: 'wouldGo' }, { outcome: 'stays' }] },
    });
    expect(ended).toEqual([]);
    expect(await answerOf('remove', ['remove', '--all'], { calls, sets })).toMatchObject({
      status: 4,
      answer: {
        written: true,
        sets: [
          { name: 'attic', processId: 11, outcome: 'removed', problem: null },
          { name: 'cellar', outcome: 'stays', problem: expect.stringContaining('2 NBD clients') },
        ],
        error: { failure: 'refused', status: 4 },
      },
    });
    expect(ended).toEqual([11]);
  });

  it('of remove --dry-run is refused for a block device that is in use, as the command itself', async () => {
    const endpoints = [{ kind: 'ublk' as const, address: '/dev/ublkb0' }];
    const calls = { blockDeviceUsers: async () => ['mounted on /mnt'] };
    const sets = [{ endpoints }];
    const { context, out } = contextWith({ calls, sets });
    const line = ['remove', 'attic', '--dry-run'];
    await expect(runCommandLine(line, context)).rejects.toMatchObject({
      failure: 'refused',
      message: '/dev/ublkb0: mounted on /mnt; end that first, or use --force',
    });
    expect(out.text).toBe('attic: would stay\n');
    expect(await runCommandLine([...line, '--force'], context)).toBe(0);
  });

  it('of create says where it is served, and whether the spare was formatted', async () => {
    const calls: Partial<LibraryCalls> = {
      examinePair: async () => ({
        mainSectorCount: 16384,
        spareSectorCount: 4096,
        mainIsSpareOf: null,
        spare: { kind: 'blank' },
      }),
      formatSpares: async () => formatPlan(),
    };
    const table = ['--table', '0 16384 dm-remap-v4 /dev/sda /dev/sdb', '--nbd', 'nbd://127.0.0.1:10809/'];
    const { context, out } = contextWith({ calls, sets: [] });
    let asked = 0;
    const all = async (): Promise<readonly RunningSet[]> => (asked++ === 0 ? [] : [runningSet({})]);
    const startInBackground = async () => ({ kind: 'ready' as const, processId: 4711, addresses: [] });
    const running = { ...context.running, all };
    expect(
      await runCommandLine(['create', 'attic', ...table, '--json'], {
        ...context,
        runDirectory: directory,
        running,
        startInBackground,
      }),
    ).toBe(0);
    const answer = ANSWER_SCHEMAS.create.strict().parse(JSON.parse(out.text));
    expect(answer).toMatchObject({ name: 'attic', formatted: true, processId: 4711 });
  });

  it('of assemble has what was done about every set', async () => {
    const scanSets = async () => ({
      sets: [scannedSet(), scannedSet('missing'), scannedSet('served')],
      doubtful: [],
      unreadable: [],
    });
    const { status, answer } = await answerOf('assemble', ['assemble', '--scan', '--dry-run'], {
      calls: { scanSets },
      sets: [],
    });
    expect(status).toBe(3);
    expect(answer).toMatchObject({
      sets: [
        { outcome: 'wouldStart', command: 'dmremap run --main /dev/sda --spare /dev/sdb --ublk' },
        { outcome: 'failed', problem: expect.stringContaining('spare 0 is missing') },
        { outcome: 'servedAlready', command: null },
      ],
      error: { failure: 'device', status: 3 },
    });
    const { context } = contextWith({ calls: { scanSets }, sets: [] });
    await expect(runCommandLine(['assemble', 'attic', '--json'], context)).rejects.toMatchObject({
      failure: 'usage',
    });
  });

  it('of format is the plan with --dry-run, and writes nothing', async () => {
    const calls = { planFormat: async () => formatPlan() };
    const line = ['format', '--main', '/dev/sda', '--spare', '/dev/sdb', '--dry-run'];
    const { answer } = await answerOf('format', line, { calls });
    expect(answer).toMatchObject({ written: false, setId: null, usableSpareUnits: 4000 });
    const { context, out } = contextWith({ calls });
    expect(await runCommandLine(line, context)).toBe(0);
    expect(out.text).toContain('/dev/sdb, 16 MiB, Stick, serial S1: WILL BE OVERWRITTEN, holds: xfs');
  });

  it('of inspect, scan and metadata check is what was found', async () => {
    const inspectSpares = async () => inspectReport({ remaps: [remapReport()] });
    const inspected = await answerOf('inspect', ['inspect', '/dev/sdb'], { calls: { inspectSpares } });
    expect(inspected).toMatchObject({
      status: 0,
      answer: { state: 'degraded', remaps: [{ mainUnit: 625 }] },
    });
    const doubtful = [{ path: '/dev/sdc', reason: 'why' }];
    const scanSets = async () => ({ sets: [wholeSet()], doubtful, unreadable: [] });
    const scanned = await answerOf('scan', ['scan'], { calls: { scanSets } });
    expect(scanned.answer).toMatchObject({ sets: [{ setId: SET_ID, state: 'complete' }], doubtful });
    const checkMetadata = async () => checkReport();
    const checked = await answerOf('metadata check', ['metadata', 'check', '/dev/sdb'], {
      calls: { checkMetadata },
    });
    expect(checked.answer).toMatchObject({ state: 'damaged', anchors: [{ setId: null }] });
  });

  it('to a command that fails is the error', () => {
    const out = recordingOutput();
    reportErrorAsJson(new Error('x\ny'), out);
    const { error } = failedAnswer.strict().parse(JSON.parse(out.text));
    expect(error).toEqual({ failure: 'bug', status: 70, message: 'x; y' });
  });

  it('has a JSON schema that is printed, for each of these commands', async () => {
    const { context, out } = fakeContext();
    expect(await runCommandLine(['schema'], context)).toBe(0);
    expect(out.text.trim().split('\n')).toEqual(Object.keys(ANSWER_SCHEMAS));
    const printed = fakeContext();
    await runCommandLine(['schema', 'config', 'check'], printed.context);
    expect(JSON.parse(printed.out.text)).toMatchObject({ required: ['version', 'files', 'sets'] });
    await expect(runCommandLine(['schema', 'run'], context)).rejects.toMatchObject({ failure: 'usage' });
  });
});

const SET_ID = deviceResource().setId;

interface World {
  readonly calls?: Partial<LibraryCalls>;
  readonly sets?: readonly Partial<DeviceResource>[];
}

function runningSet(changes: Partial<DeviceResource>): RunningSet {
  return { device: deviceResource(changes) } as RunningSet;
}

function contextWith({ calls = {}, sets = [] }: World) {
  const running = sets.map(runningSet);
  return fakeContext({ calls, running: { all: async () => running, one: async () => running[0]! } });
}

/** It has all that the schema asks for, and nothing else. */
async function answerOf(words: keyof typeof ANSWER_SCHEMAS, line: readonly string[], world: World = {}) {
  const { context, out } = contextWith(world);
  const status = await runCommandLine([...line, '--json'], context);
  return { status, answer: ANSWER_SCHEMAS[words].strict().parse(JSON.parse(out.text)) };
}

function scannedSet(fate: 'complete' | 'missing' | 'served' = 'complete'): ScannedSet {
  const problem = { id: 'spareMissing' as const, blocks: true, message: 'spare 0 is missing' };
  return {
    setId: SET_ID,
    name: 'attic',
    main: { path: '/dev/sda', provedBy: fate === 'served' ? 'served' : 'contents' },
    spares: [{ index: 0, path: '/dev/sdb' }],
    problems: fate === 'missing' ? [problem] : [],
  } as unknown as ScannedSet;
}

function wholeSet(): ScannedSet {
  const disk = { sizeBytes: 8 << 20, model: '', serial: '' };
  return {
    ...{ setId: SET_ID, name: 'attic', sequence: 7, cleanShutdown: true, updatedSeconds: 1_700_000_000 },
    main: { ...disk, wwn: '', path: '/dev/sda', candidates: [], provedBy: 'contents' },
    spares: [{ ...disk, index: 0, uuid: 'aa', path: '/dev/sdb' }],
    problems: [],
  };
}

function checkReport(): CheckReport {
  const place = { index: 0, spareIndex: 0, path: '/dev/sdb', offsetBytes: 0, lengthBytes: 8192 };
  const pages = { goodPages: 1, badPages: 1 };
  const finding = {
    what: 'page',
    copyIndex: 0,
    slot: 1,
    firstPage: 0,
    pageCount: 1,
    offsetBytes: 4096,
  } as const;
  return {
    state: 'damaged',
    problem: null,
    set: null,
    copies: [{ ...place, ...pages, state: 'damaged', superblock: 'good', note: 'current' }],
    findings: [{ ...finding, state: 'damaged', action: 'rewritten' }],
    ...{ lostPages: [], maybeOutdatedPages: [], impossibleUnits: [], supersededPages: [] },
    anchors: [{ path: '/dev/sdb', offsetBytes: 0, state: 'blank', setId: null, sequence: null }],
  };
}
