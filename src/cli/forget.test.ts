import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunningSet } from '../control/client/running-sets.js';
import { ANSWER_SCHEMAS } from './answer-schemas.js';
import { runCommandLine } from './command-line.js';
import { deviceResource } from './testing/device-resource.js';
import { fakeContext, inspectReport } from './testing/fake-context.js';

const { setId } = inspectReport();
let root: string;
let files: string[];

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'dm-remap-forget-'));
  for (const name of ['run', 'state', 'archive', 'etc/dm-remap'])
    mkdirSync(join(root, name), { recursive: true });
  files = [
    'etc/dm-remap/attic.env',
    `run/${setId}.sock`,
    `run/${setId}.sock.4711`,
    `run/${setId}.log`,
    `run/${setId}.jobs`,
    `state/${setId}.jobs`,
    `archive/${setId}_1-000_g2.txt`,
  ];
  for (const file of files) writeFileSync(join(root, file), `# dm-remap set "attic" (${setId}), for\n`);
  writeFileSync(join(root, 'run/other.sock'), '');
});

afterEach(() => rmSync(root, { recursive: true }));

describe('dmremap forget', () => {
  it('removes boot files and leftovers, and keeps the archive', async () => {
    const out = await forget(['attic']);
    expect(out).toContain(`removed    ${join(root, `run/${setId}.sock`)}\n`);
    expect(there()).toEqual([files[6]]);
    expect(existsSync(join(root, 'run/other.sock'))).toBe(true);
  });

  it('removes the archive when asked, by set id too, and nothing with --dry-run', async () => {
    const args = [setId.toUpperCase(), '--archive', join(root, 'archive')];
    expect(await forget([...args, '--dry-run'])).toContain(`would go   ${join(root, files[6]!)}\n`);
    expect(there()).toEqual(files);
    await forget(args);
    expect(there()).toEqual([]);
    await expect(forget([setId])).rejects.toMatchObject({ failure: 'device' });
  });

  it('removes nothing of a set whose process gives no answer', async () => {
    const silent = new Set([join(root, 'run', `${setId}.sock`)]);
    const running = { all: async () => [], silent };
    const { context } = fakeContext({ running });
    const line = ['forget', 'attic', '--root', root];
    const asked = { ...context, runDirectory: join(root, 'run'), stateDirectory: join(root, 'state') };
    await expect(runCommandLine(line, asked)).rejects.toMatchObject({
      failure: 'refused',
      message: expect.stringContaining('gives no answer'),
    });
    expect(there()).toEqual(files);
  });

  it('removes an archive that is named from the directory that a person is in', async () => {
    const archive = relative(process.cwd(), join(root, 'archive'));
    expect(await forget([setId, '--archive', archive])).toContain(`removed    ${join(root, files[6]!)}\n`);
    expect(existsSync(join(root, files[6]!))).toBe(false);
  });

  it('tells programs what has become of every file', async () => {
    const dry = ANSWER_SCHEMAS.forget
      .strict()
      .parse(JSON.parse(await forget(['attic', '--dry-run', '--json'])));
    expect(dry).toMatchObject({ name: 'attic', setId, written: false });
    const outcomes = dry.files.filter(({ path }) => path === join(root, files[1]!));
    expect(outcomes).toEqual([{ path: join(root, files[1]!), outcome: 'would go' }]);
    expect(there()).toEqual(files);
    const done = ANSWER_SCHEMAS.forget.strict().parse(JSON.parse(await forget(['attic', '--json'])));
    expect(done.written).toBe(true);
    expect(there()).toEqual([files[6]]);
  });

  it('refuses a set that is served, and a name that it does not know', async () => {
    const served = (name: string) => [
      { device: deviceResource({ setId, name, processId: 42 }) } as RunningSet,
    ];
    const refusal = {
      failure: 'refused',
      message: expect.stringMatching(
        /: process 42 serves it; nothing was removed\. Stop it first: dmremap stop /,
      ),
    };
    // By its name at boot, by that of the process, by its id, and by a device of it.
    await expect(forget(['attic'], served('another'))).rejects.toMatchObject(refusal);
    for (const wanted of ['another', setId.toUpperCase(), '/dev/sdb'])
      await expect(forget([wanted], served('another'))).rejects.toMatchObject(refusal);
    await expect(forget(['cellar'])).rejects.toMatchObject({ failure: 'device' });
    for (const name of ['my attic', 'a/b'])
      await expect(forget([name])).rejects.toMatchObject({
        failure: 'device',
        message: expect.stringMatching(/: no set of this name is prepared for boot; give the set id /),
      });
    expect(there()).toEqual(files);
  });
});

function there(): string[] {
  return files.filter((file) => existsSync(join(root, file)));
}

async function forget(args: readonly string[], served: readonly RunningSet[] = []): Promise<string> {
  const one = () => Promise.reject(new Error('not asked for'));
  const { context, out } = fakeContext({
    runDirectory: join(root, 'run'),
    stateDirectory: join(root, 'state'),
    running: { all: async () => served, one },
  });
  expect(await runCommandLine(['forget', ...args, '--root', root], context)).toBe(0);
  return out.text;
}
