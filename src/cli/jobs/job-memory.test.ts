import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { JobMemory } from './job-memory.js';
import { jobPlaces } from './job-places.js';
import { leavingSparesIn, readJobFiles } from './read-job-files.js';

const SET_ID = '0f0e0d0c-0b0a-4900-8000-000102030405';
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dm-remap-memory-'));
});

afterEach(() => rmSync(root, { recursive: true }));

const emptying = (spareUuid: string) => [
  { spareUuid, acceptsLoss: false, toSpareUuid: null, isPaused: false },
];

describe('what is remembered of jobs', () => {
  it('is in the best directory that takes it, and in no other', async () => {
    const problems: string[] = [];
    const [file, best, second] = ['file', 'best', 'second'].map((name) => join(root, name));
    writeFileSync(file!, '');
    const remember = async (places: string[], uuid: string): Promise<void> => {
      const memory = new JobMemory(places, SET_ID, undefined, (problem) => problems.push(problem));
      await memory.change({ emptying: emptying(uuid) });
    };
    await remember([join(file!, 'no'), second!], 'aa');
    expect(readdirSync(second!)).toEqual([`${SET_ID}.jobs`]);
    await remember([best!, second!], 'bb');
    expect([readdirSync(best!), readdirSync(second!)]).toEqual([[`${SET_ID}.jobs`], []]);
    expect(leavingSparesIn(await readJobFiles([second!, best!]))).toEqual(['bb']);
    expect(problems).toEqual([]);
    await remember([join(file!, 'no')], 'cc');
    await remember([], 'cc');
    expect(problems.filter((problem) => problem.includes("can't be remembered"))).toHaveLength(2);
  });

  it('of two files is what was written later, and one that is none of ours is told of', async () => {
    const [older, newer] = ['older', 'newer'].map((name) => join(root, name));
    for (const [directory, uuid, writtenMs] of [
      [newer!, 'newer', 2],
      [older!, 'older', 1],
    ] as const) {
      mkdirSync(directory);
      const jobs = { version: 1, writtenMs, emptying: emptying(uuid), consolidation: null, evacuation: null };
      writeFileSync(join(directory, `${SET_ID}.jobs`), JSON.stringify(jobs));
    }
    writeFileSync(join(older!, 'cut.jobs'), '{"version": 1, "emp');
    writeFileSync(join(older!, 'later.jobs'), '{"version": 2}');
    writeFileSync(join(older!, 'map.txt'), '');
    const files = await readJobFiles([older!, newer!, join(root, 'absent')]);
    expect(leavingSparesIn(files)).toEqual(['newer']);
    expect(leavingSparesIn(await readJobFiles([newer!, older!]))).toEqual(['newer']);
    expect(files.problems).toEqual([
      expect.stringContaining('cut.jobs'),
      expect.stringContaining('later.jobs'),
    ]);
  });

  it('is where the service manager says, else with the archive, the machine or the run directory', () => {
    const all = { manager: '/m', archive: '/a', machine: '/v', runDirectory: '/r' };
    expect(jobPlaces(all)).toEqual(['/m', '/a', '/v', '/r']);
    expect(jobPlaces({ ...all, manager: undefined, archive: undefined, machine: '/r' })).toEqual(['/r']);
  });
});
