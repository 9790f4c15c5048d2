import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dmremapProgram } from '../support/dmremap-program.js';
import { writeRandomFile } from '../support/random-file.js';
import { Command, RawNbd, request } from '../support/raw-nbd.js';
import { type ToolOutcome, tryTool } from '../support/run-tool.js';

const MIB = 1 << 20;
let directory: string;
let main: string;
let spare: string;
let nbd: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dmr-'));
  main = join(directory, 'main.img');
  spare = join(directory, 'spare.img');
  nbd = `nbd+unix:///?socket=${join(directory, 's')}`;
  writeRandomFile(main, 8 * MIB, 4711);
  writeFileSync(spare, '');
  truncateSync(spare, 2 * MIB);
});

afterEach(async () => {
  await dmremap('remove', '--all', '--force');
  rmSync(directory, { recursive: true });
});

describe('a script that knows the kernel module', () => {
  it('makes a set, remaps a sector, takes the set away and finds it again', async () => {
    const table = `0 16384 remap ${main} ${spare} 0 1000`;
    expect(await create('attic', '--table', table)).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect((await dmremap('ls')).stdout).toBe('attic\t(nbd)\n');
    expect((await dmremap('table', 'attic')).stdout).toBe(`${table}\n`);
    expect(await message('ping')).toEqual([0, 'pong']);
    const [status, text] = await message('remap 1000');
    expect(status).toBe(0);
    const place = /^remapped sector 1000 -> spare sector (\d+)$/.exec(text)![1]!;
    expect(await message('remap 1000')).toEqual([2, 'error: sector 1000 already remapped']);
    expect((await dmremap('status', 'attic', '--format', 'v2')).stdout).toMatch(
      /^0 16384 remap v2\.0 8\/\d+ 0\/\d+ 8\/\d+ health=1 errors=W0:R0 auto_remaps=0 manual_remaps=1 scan=0%\n$/,
    );
    expect(await dmremap('remove', 'attic')).toMatchObject({ status: 0, stdout: '' });
    expect((await dmremap('ls')).stdout).toBe('No devices found\n');

    expect(await create('attic', '--table', `0 16384 dm-remap-v4 ${main} ${spare}`)).toMatchObject({
      status: 0,
    });
    expect(await message('verify 1000')).toEqual([0, `sector 1000 -> spare ${place}`]);
    const line = (await dmremap('status', '--format', 'v4')).stdout;
    expect(line).toMatch(/^attic: 0 16384 dm-remap-v4 v4\.0-phase1\.4 .* operational real\n$/);
    expect(line.trim().split(' ')).toHaveLength(32);
    expect(await message('frob')).toEqual([2, "Unknown command 'frob'. Try 'help'"]);
  });

  it('lets one of two have a name that both are created under at the same moment', async () => {
    const [main2, spare2] = [join(directory, 'main2.img'), join(directory, 'spare2.img')];
    for (const path of [main2, spare2]) {
      writeFileSync(path, '');
      truncateSync(path, 2 * MIB);
    }
    const other = `nbd+unix:///?socket=${join(directory, 's2')}`;
    const outcomes = await Promise.all([
      create('attic', '--table', `0 16384 remap ${main} ${spare} 0 1000`),
      dmremap('create', 'attic', '--nbd', other, '--table', `0 4096 remap ${main2} ${spare2} 0 1000`),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual([0, 3]);
    expect(outcomes.find(({ status }) => status === 3)!.stderr).toMatch(
      /^dmremap: attic: exists already, served by process \d+/,
    );
    expect((await dmremap('ls')).stdout).toBe('attic\t(nbd)\n');
    expect(await dmremap('remove', 'attic')).toMatchObject({ status: 0 });
    expect(existsSync(join(directory, 'run/attic.name'))).toBe(false);
  });

  it('takes the table from standard input, and tells where the set is served', async () => {
    const created = await withInput(
      `0 16384 dm-remap ${main} ${spare}\n`,
      'create',
      'attic',
      '--nbd',
      nbd,
      '-v',
    );
    expect(created).toEqual({ status: 0, stdout: `${nbd}\n` });
    expect((await dmremap('info', '-c', '--noheadings')).stdout).toMatch(
      /^attic:-:-:L--w:0:1:\d+:[0-9a-f-]{36}\n$/,
    );
    const again = await create('attic', '--table', `0 16384 dm-remap ${main} ${spare}`);
    expect(again).toMatchObject({ status: 3, stderr: expect.stringContaining('attic: exists already') });
  });

  it('is told what the start refuses, in one line and with its status, and nothing stays behind', async () => {
    writeRandomFile(spare, 2 * MIB, 12);
    const before = readFileSync(spare);
    const foreign = await create('attic', '--table', `0 16384 dm-remap ${main} ${spare}`);
    expect(foreign).toMatchObject({ status: 4, stderr: expect.stringMatching(/^dmremap: .*holds .*\n$/) });
    expect(readFileSync(spare).equals(before)).toBe(true);
    truncateSync(spare, 0);
    truncateSync(spare, 2 * MIB);
    const badOption = await create(
      'attic',
      '--table',
      `0 16384 dm-remap ${main} ${spare}`,
      '--run-option=--frob',
    );
    expect(badOption).toMatchObject({ status: 2, stderr: expect.stringMatching(/^dmremap: .*--frob.*\n$/) });
    expect((await dmremap('ls')).stdout).toBe('No devices found\n');
    const missing = await create('attic', '--table', `0 16384 dm-remap ${main} ${join(directory, 'gone')}`);
    expect(missing).toMatchObject({ status: 3, stderr: expect.stringMatching(/^dmremap: .*gone.*\n$/) });
  });

  it('suspends and resumes: reads wait meanwhile, messages that move do not', async () => {
    await create('attic', '--table', `0 16384 dm-remap ${main} ${spare}`);
    expect(JSON.parse((await dmremap('suspend', 'attic', '--json')).stdout)).toMatchObject({ changed: true });
    expect(JSON.parse((await dmremap('suspend', 'attic', '--noflush', '--json')).stdout).changed).toBe(false);
    expect((await dmremap('info', 'attic')).stdout).toMatch(/^State: +SUSPENDED$/m);
    expect(await dmremap('message', 'attic', '0', 'remap', '8')).toMatchObject({
      status: 4,
      stdout: 'error: the device is suspended; resume it first\n',
      stderr: '',
    });
    const client = await RawNbd.transmitting(nbd);
    client.socket.write(request({ type: Command.read, cookie: 1, offset: 4096, length: 4096 }));
    let hasReply = false;
    const reply = client.takeReply(1).then(async (error) => {
      hasReply = true;
      return { error, data: await client.take(4096) };
    });
    await delay(300);
    expect(hasReply).toBe(false);
    expect((await dmremap('remove', 'attic')).status).toBe(4);
    expect(await dmremap('resume', 'attic')).toMatchObject({ status: 0, stdout: '' });
    expect(await reply).toEqual({ error: 0, data: readFileSync(main).subarray(4096, 8192) });
    client.destroy();
  });

  it('is removed in order while suspended', async () => {
    await create('attic', '--table', `0 16384 dm-remap ${main} ${spare}`);
    await dmremap('suspend', 'attic');
    expect(await dmremap('remove', 'attic')).toMatchObject({ status: 0, stderr: '' });
    expect(readFileSync(join(directory, 'run/attic.log'), 'utf8')).toContain('stopped cleanly');
    expect(existsSync(join(directory, 's'))).toBe(false);
  });

  it('waits for an event', async () => {
    await create('attic', '--table', `0 16384 dm-remap ${main} ${spare}`);
    const waiting = dmremap('wait', 'attic', '--json');
    let hasEnded = false;
    waiting.finally(() => {
      hasEnded = true;
    });
    // The waiting process may not listen yet: until it has heard of one, sectors move.
    for (let sector = 8; !hasEnded; sector += 8) expect((await message(`remap ${sector}`))[0]).toBe(0);
    const { status, stdout } = await waiting;
    expect(status).toBe(0);
    const { eventNumber } = JSON.parse(stdout);
    expect(eventNumber).toBeGreaterThan(0);
    expect((await dmremap('wait', 'attic', String(eventNumber - 1))).status).toBe(0);
    const forNone = dmremap('wait', 'attic', '999999');
    await delay(500);
    await dmremap('remove', 'attic');
    expect(await forNone).toMatchObject({ status: 3 });
  });
});

function create(name: string, ...args: string[]): Promise<ToolOutcome> {
  return dmremap('create', name, '--nbd', nbd, ...args);
}

async function message(text: string): Promise<[number | null, string]> {
  const { status, stdout } = await dmremap('message', 'attic', '0', text);
  return [status, stdout.trimEnd()];
}

function dmremap(...args: string[]): Promise<ToolOutcome> {
  return tryTool(process.execPath, [dmremapProgram(), ...args], { environment: environment() });
}

/** With the run directory inside the test's folder. */
function environment(): NodeJS.ProcessEnv {
  return { ...process.env, RUNTIME_DIRECTORY: join(directory, 'run') };
}

function withInput(input: string, ...args: string[]): Promise<{ status: number | null; stdout: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [dmremapProgram(), ...args], {
      env: environment(),
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let stdout = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout }));
    child.stdin.end(input);
  });
}
