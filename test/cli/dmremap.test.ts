import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DiskImages } from '../support/disk-images.js';
import { dmremapProgram } from '../support/dmremap-program.js';
import { type ToolOutcome, tryTool } from '../support/run-tool.js';

const MIB = 1 << 20;
let images: DiskImages;

beforeEach(async () => {
  images = await DiskImages.create({ mainBytes: 8 * MIB, spareBytes: 2 * MIB });
});

afterEach(() => images.remove());

describe('dmremap', () => {
  it('ends with 2 and one line for wrong arguments, on standard error only', async () => {
    const outcome = await dmremap('frmat');
    expect(outcome).toMatchObject({ status: 2, stdout: '' });
    expect(outcome.stderr).toMatch(/^dmremap: .*frmat.*\n$/);
  });

  it('prints version and help with status 0', async () => {
    expect(await dmremap('--version')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^dmremap \d+\.\d+/),
    });
    expect((await dmremap('run', '--help')).stdout).toContain('EXIT STATUS\n');
  });

  it('ends with 3 for a device that is not there', async () => {
    expectFailure(await dmremap('inspect', images.path('nosuch')), 3, 'nosuch');
  });

  it('ends with 5 for a spare without metadata', async () => {
    writeFileSync(images.path('blank'), '');
    truncateSync(images.path('blank'), 2 * MIB);
    expectFailure(await dmremap('inspect', images.path('blank')), 5, 'blank');
  });
});

describe('output on a full disk', () => {
  it('ends with 6, also where only the end of it is missing', async () => {
    const command = `"${process.execPath}" "${dmremapProgram()}" metadata dump "${images.sparePath}"`;
    const text = images.path('set.txt');
    for (const redirected of [`${command} >/dev/full`, `ulimit -f 1; ${command} --json >"${text}"`])
      expectFailure(await tryTool('sh', ['-c', redirected]), 6, 'standard output');
    // The unit of the limit is 512 bytes or 1024.
    expect([512, 1024]).toContain(readFileSync(text).length);
  });

  it('does not end "run", whose log and output it is', async () => {
    const full = openSync('/dev/full', 'w');
    const socket = images.path('nbd.sock');
    const args = [dmremapProgram(), 'run', ...devices(), '--nbd', `nbd+unix:///?socket=${socket}`];
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', full, full],
      timeout: 60_000,
      killSignal: 'SIGKILL',
    });
    closeSync(full);
    const ended = once(child, 'close');
    await expect.poll(() => existsSync(socket) || child.exitCode, { timeout: 60_000 }).toBe(true);
    await connectOnce(socket);
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });
});

describe('dmremap format', () => {
  it('refuses a spare in use with 4, overwrites it with --force, and never writes the main device', async () => {
    writeFileSync(images.mainPath, 'x'.repeat(MIB));
    expectFailure(await dmremap('format', ...devices(), '--yes'), 4, '--force');
    const forced = await dmremap('format', ...devices(), '--yes', '--force', '--json', '--name', 'attic');
    expect(JSON.parse(forced.stdout)).toMatchObject({ version: 1, name: 'attic', unitBytes: 4096 });
    expect(readFileSync(images.mainPath, 'utf8')).toBe('x'.repeat(MIB));
  });

  it('writes nothing without a terminal and without --yes', async () => {
    const before = readFileSync(images.sparePath);
    expectFailure(await dmremap('format', ...devices(), '--force'), 2, '--yes');
    expect(readFileSync(images.sparePath).equals(before)).toBe(true);
  });

  it('refuses a file system on the spare by its name', async () => {
    writeFileSync(images.sparePath, Buffer.concat([Buffer.from('XFSB'), Buffer.alloc(2 * MIB - 4)]));
    expectFailure(await dmremap('format', ...devices(), '--yes'), 4, 'xfs');
  });
});

describe('dmremap run', () => {
  it('says ready when clients can connect, and ends with 0 after SIGTERM, cleanly stopped', async () => {
    const { child, ready } = await running();
    await connectOnce(ready);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(existsSync(ready)).toBe(false);
    const report = JSON.parse((await dmremap('inspect', images.sparePath, '--json')).stdout);
    expect(report).toMatchObject({ version: 1, state: 'healthy', cleanShutdown: true, openCount: 1 });
  });

  it('goes on serving when nobody reads its output any more', async () => {
    const { child, ready } = await running();
    child.stdout.destroy();
    child.stderr.destroy();
    await connectOnce(ready);
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('holds its devices: a second one ends with 3', async () => {
    const { child } = await running();
    expectFailure(await dmremap('run', ...devices(), '--nbd', 'nbd://127.0.0.1:0/'), 3, 'in use');
    child.kill('SIGTERM');
    await once(child, 'exit');
  });

  it('ends with 2 where the socket is to be what is there already, and leaves that alone and the set closed', async () => {
    const file = images.path('notes.txt');
    writeFileSync(file, 'precious');
    const spareBefore = readFileSync(images.sparePath);
    for (const [path, what] of [
      [images.mainPath, 'a device of this set'],
      [file, 'a file'],
      [images.path('.'), 'a directory'],
    ]) {
      const outcome = await dmremap('run', ...devices(), '--nbd', `nbd+unix:///?socket=${path}`);
      expectFailure(outcome, 2, `${path} is ${what}, and no socket; it is left alone`);
      expect(outcome.stderr).not.toContain('opened');
    }
    const table = `0 16384 dm-remap-v4 ${images.mainPath} ${images.sparePath}`;
    const created = ['create', 'attic', '--table', table, '--nbd', `nbd+unix:///?socket=${images.mainPath}`];
    expectFailure(await dmremap(...created), 2, 'a device of this set');
    expect(readFileSync(file, 'utf8')).toBe('precious');
    expect(readFileSync(images.sparePath).equals(spareBefore)).toBe(true);
  });

  it('formats a blank spare with --init, and ends with 5 without', async () => {
    rmSync(images.sparePath);
    writeFileSync(images.sparePath, '');
    truncateSync(images.sparePath, 2 * MIB);
    expectFailure(await dmremap('run', ...devices(), '--nbd', 'nbd://127.0.0.1:0/'), 5, 'format');
    const { child } = await running('--init');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('ends with 2 and the line for a mistake in a fault scenario', async () => {
    writeFileSync(images.path('faults.yaml'), 'main:\n  - { sectors: "5-3", error: EIO }\n');
    const args = ['--nbd', 'nbd://127.0.0.1:0/', '--faults', images.path('faults.yaml')];
    expectFailure(await dmremap('run', ...devices(), ...args), 2, 'faults.yaml:2');
  });
});

describe('the reading commands', () => {
  it('export a table that covers the main device', async () => {
    const outcome = await dmremap('export', images.sparePath, '--dm-table', '--main', '/dev/sdX');
    expect(outcome).toEqual({ status: 0, signal: null, stdout: '0 16384 linear /dev/sdX 0\n', stderr: '' });
  });

  it('list nothing, as JSON with a version', async () => {
    const outcome = await dmremap('remaps', images.sparePath, '--json');
    expect(JSON.parse(outcome.stdout)).toMatchObject({ version: 1, unitBytes: 4096, remaps: [] });
  });
});

function dmremap(...args: string[]): Promise<ToolOutcome> {
  return tryTool(process.execPath, [dmremapProgram(), ...args]);
}

function devices(): string[] {
  return ['--main', images.mainPath, '--spare', images.sparePath];
}

function expectFailure(outcome: ToolOutcome, status: number, mention: string): void {
  const lastLine = outcome.stderr.trimEnd().split('\n').at(-1);
  expect({ status: outcome.status, lastLine }).toEqual({
    status,
    lastLine: expect.stringMatching(/^dmremap: /),
  });
  expect(lastLine).toContain(mention);
  expect(outcome.stderr).not.toMatch(/^\s+at /m);
}

/** Starts `dmremap run` on a unix socket; resolves when it says that it is ready. */
async function running(...more: string[]) {
  const socket = images.path('nbd.sock');
  const uri = `nbd+unix:///?socket=${socket}`;
  const child = spawn(process.execPath, [dmremapProgram(), 'run', ...devices(), '--nbd', uri, ...more], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  child.stderr.resume();
  for await (const line of createInterface({ input: child.stdout })) {
    expect(line).toBe(`ready ${uri}`);
    return { child, ready: socket };
  }
  throw new Error('dmremap run ended before it was ready');
}

/** The server greets first; that is enough to know that it is there. */
async function connectOnce(path: string): Promise<void> {
  const socket = createConnection({ path });
  const [greeting] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  expect(greeting.toString('latin1', 0, 8)).toBe('NBDMAGIC');
}
