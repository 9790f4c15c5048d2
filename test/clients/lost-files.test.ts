import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { DiskImages } from '../support/disk-images.js';
import { dmremapProgram } from '../support/dmremap-program.js';
import { lacksTools, runTool, tryTool } from '../support/run-tool.js';

const MIB = 1 << 20;
/** XFS is not made smaller than 300 MiB. */
const MAIN_BYTES = 320 * MIB;
const NEEDS_FUSE = lacksTools('nbdfuse', 'qemu-io') || !existsSync('/dev/fuse');

describe.skipIf(NEEDS_FUSE)('lost --files, where the lost blocks are errors', () => {
  let images: DiskImages | undefined;
  const processes: ChildProcess[] = [];

  afterEach(async () => {
    for (const child of processes.splice(0).reverse()) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      if (child.kill('SIGTERM')) await ended;
    }
    images?.remove();
  });

  it.for(['ext4', 'xfs'] as const)('names the file on %s', async (kind, context) => {
    if (lacksTools(`mkfs.${kind}`, kind === 'xfs' ? 'xfs_db' : 'debugfs')) context.skip('no tools for it');
    images = await DiskImages.create({ mainBytes: MAIN_BYTES, spareBytes: 8 * MIB });
    // The main device carries nothing of ours: it may get its contents after the spare was formatted.
    const sector = await (kind === 'xfs' ? makeXfs : makeExt4)(images.mainPath);
    await serve(images, `main:\n  - { sectors: "${sector}-${sector + 7}", on: [read], error: ENODATA }\n`);
    const uri = `nbd+unix:///?socket=${images.path('nbd.sock')}`;
    await tryTool('qemu-io', ['-r', '-f', 'raw', '-c', `read ${sector * 512} 4096`, uri]);
    const { device } = await mountFuse(images, uri);
    expect(
      (await tryTool('dd', [`if=${device}`, 'of=/dev/null', 'bs=4096', `skip=${sector / 8}`, 'count=1']))
        .status,
    ).toBe(1);
    const found = await dmremap(images, 'lost', images.mainPath, '--files', '--device', device, '--json');
    expect(JSON.parse(found)).toMatchObject({
      files: [{ path: '/letter', sectors: Array.from({ length: 8 }, (_, nth) => sector + nth) }],
      sectorsOfNoFile: [],
    });
  });

  async function serve({ mainPath, sparePath, directory }: DiskImages, scenario: string): Promise<void> {
    const faults = join(directory, 'faults.yaml');
    writeFileSync(faults, scenario);
    const uri = `nbd+unix:///?socket=${join(directory, 'nbd.sock')}`;
    const devices = ['--main', mainPath, '--spare', sparePath, '--faults', faults, '--nbd', uri];
    const child = spawn(process.execPath, [dmremapProgram(), 'run', ...devices], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: environmentOf(directory),
    });
    processes.push(child);
    for await (const line of createInterface(child.stdout!)) if (line.startsWith('ready ')) return;
    throw new Error('the server did not start');
  }

  async function mountFuse({ directory }: DiskImages, uri: string): Promise<{ readonly device: string }> {
    const mountPoint = join(directory, 'fuse');
    mkdirSync(mountPoint);
    const device = join(mountPoint, 'disk');
    const child = spawn('nbdfuse', [device, uri], { stdio: 'ignore' });
    processes.push(child);
    while (child.exitCode === null && !(existsSync(device) && statSync(device).size > 0)) await delay(20);
    return { device };
  }
});

/** Answers the first sector of the second block of /letter. */
async function makeXfs(path: string): Promise<number> {
  writeFileSync(`${path}.contents`, Buffer.alloc(40_000, 7));
  writeFileSync(`${path}.prototype`, `/none\n0 0\nd--755 0 0\nletter ---644 0 0 ${path}.contents\n$\n`);
  await runTool('mkfs.xfs', ['-q', '-p', `${path}.prototype`, path]);
  const shown = await runTool('xfs_db', ['-r', '-c', 'path /letter', '-c', 'bmap', path]);
  // In the first group, where numbers are places.
  return (Number(/startblock \d+ \(0\/(\d+)\)/.exec(shown)![1]) + 1) * 8;
}

async function makeExt4(path: string): Promise<number> {
  writeFileSync(`${path}.contents`, Buffer.alloc(40_000, 7));
  await runTool('mkfs.ext4', ['-q', '-b', '4096', path]);
  await runTool('debugfs', ['-w', '-R', `write ${path}.contents letter`, path]);
  const shown = await runTool('debugfs', ['-R', 'blocks /letter', path]);
  return Number(shown.trim().split(/\s+/)[1]) * 8;
}

async function dmremap({ directory }: DiskImages, ...args: string[]): Promise<string> {
  const options = { environment: environmentOf(directory) };
  return runTool(process.execPath, [dmremapProgram(), ...args], options);
}

function environmentOf(directory: string): NodeJS.ProcessEnv {
  return { ...process.env, RUNTIME_DIRECTORY: join(directory, 'run') };
}
