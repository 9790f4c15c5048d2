import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunningSet } from '../control/client/running-sets.js';
import { DmRemapError } from '../library/errors.js';
import type { ScannedSet, ScanReport } from '../library/scan-types.js';
import type { LibraryCalls } from './cli-context.js';
import { runCommandLine } from './command-line.js';
import { deviceResource } from './testing/device-resource.js';
import { fakeContext, fakeMachine, inspectReport } from './testing/fake-context.js';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dm-remap-boot-'));
});

afterEach(() => rmSync(root, { recursive: true }));

describe('dmremap boot enable', () => {
  it('writes unit, environment and rules, and says what comes next', async () => {
    const { out, err } = await boot('enable', 'attic', ...DISKS, '--', '--on-lost', 'zero');
    expect(filesBelow(root)).toEqual([
      'etc/dm-remap/attic.env',
      'etc/systemd/system/dm-remap@.service',
      'etc/systemd/system/dm-remap@attic.service.d/members.conf',
      'etc/udev/rules.d/61-dm-remap-attic.rules',
      'etc/udev/rules.d/61-dm-remap.rules',
    ]);
    expect(out).toMatch(/^written .*\/dm-remap@.service\n(written .*\n){4}next: systemctl .*enable .*attic/);
    expect(err).toContain('/dev/sdb is written down as /dev/disk/by-id/ata-A\n');
    const environment = textOf('etc/dm-remap/attic.env').split('\n');
    expect(environment.filter((line) => !line.startsWith('#'))).toEqual([
      'MAIN=/dev/disk/by-id/ata-A',
      'SPARES=--spare /dev/disk/by-id/usb-B',
      'OPTIONS=--on-lost zero',
      '',
    ]);
    expect(textOf('etc/systemd/system/dm-remap@attic.service.d/members.conf')).toContain(
      'After=dev-disk-by\\x2did-ata\\x2dA.device dev-disk-by\\x2did-usb\\x2dB.device\n',
    );
  });

  it('takes the disks from the configuration where none are given', async () => {
    mkdirSync(join(root, 'nonexistent/dm-remap'), { recursive: true });
    writeFileSync(
      join(root, 'nonexistent/dm-remap/dm-remap.yaml'),
      'sets:\n  attic:\n    main: /dev/sdb\n    spares: [/dev/disk/by-id/usb-B]\n',
    );
    await boot('enable', 'attic');
    expect(textOf('etc/dm-remap/attic.env')).toContain('\nMAIN=/dev/disk/by-id/ata-A\n');
    expect(textOf('etc/dm-remap/attic.env')).toContain('\nSPARES=--spare /dev/disk/by-id/usb-B\n');
  });

  it('puts the paths of this installation into the unit', async () => {
    await boot('enable', 'attic', ...DISKS);
    const unit = textOf('etc/systemd/system/dm-remap@.service');
    // biome-ignore lint/suspicious/noTemplateCurlyInString: systemd's, not ours.
    const command = 'run %i --main ${MAIN} $SPARES --ublk --take-over $OPTIONS';
    expect(unit).toContain(`\nExecStart=@/usr/bin/node @dmremap /opt/dm-remap/bin/dmremap.js ${command}\n`);
    expect(unit).not.toContain('{{');
  });

  it('writes a unit that systemd understands', async (context) => {
    await boot('enable', 'attic', ...DISKS);
    const args = ['verify', '--man=no', 'dm-remap@attic.service'];
    // With the system's own units behind ours.
    const env = { ...process.env, SYSTEMD_UNIT_PATH: `${join(root, 'etc/systemd/system')}:` };
    const { error, status, stderr } = spawnSync('systemd-analyze', args, { env, encoding: 'utf8' });
    if (error !== undefined) context.skip('systemd-analyze is not there');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('changes nothing the second time', async () => {
    await boot('enable', 'attic', ...DISKS);
    expect((await boot('enable', 'attic', ...DISKS)).out).toMatch(/^(unchanged .*\n){5}next: /);
    expect((await boot('enable', 'attic', ...DISKS, '--', '--io', 'uring')).out).toMatch(
      /^(unchanged .*\n){2}written .*env\n(unchanged .*\n){2}/,
    );
  });

  it('only prints with --dry-run', async () => {
    const { out } = await boot('enable', 'attic', ...DISKS, '--dry-run');
    expect(out).toContain('==> /etc/dm-remap/attic.env\n# dm-remap set "attic"');
    expect(filesBelow(root)).toEqual([]);
  });

  it('warns of lines in fstab that mount the main device itself', async () => {
    mkdirSync(join(root, 'etc'));
    writeFileSync(join(root, 'etc/fstab'), '/dev/sdb2 /mnt ext4\n');
    expect((await boot('enable', 'attic', ...DISKS)).err).toContain(
      'line 1 mounts /dev/sdb2 itself; make it /dev/dm-remap/attic-part2',
    );
  });

  it.each([
    [['my set', ...DISKS], 'usage', 'unit'],
    [['attic', ...DISKS, '--', '--onlost'], 'usage', '--onlost'],
    [['attic', ...DISKS, '--', '--log-level', 'loud'], 'usage', 'loud'],
    [['attic', ...DISKS, '--', '--faults', '/a b'], 'usage', 'blanks'],
    [['attic', ...DISKS, '--', '--main', '/dev/vdz'], 'usage', '--main: is given twice'],
    [['attic', '--main', '/dev/vdz', '--spare', '/dev/sdc'], 'refused', '--force'],
    [['attic', '--main', 'disk.img', '--spare', '/dev/sdc'], 'refused', 'no block device'],
  ])('refuses %j', async (args, failure, mistake) => {
    const error = await boot('enable', ...args).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DmRemapError);
    expect(error).toMatchObject({ failure, message: expect.stringContaining(mistake) });
    expect(filesBelow(root)).toEqual([]);
  });

  it('takes a disk without a stable name with --force, by the name of the kernel', async () => {
    await boot('enable', 'attic', '--main', '/dev/vdz', '--spare', '/dev/sdc', '--force');
    expect(textOf('etc/dm-remap/attic.env')).toContain('MAIN=/dev/vdz\n');
    expect(textOf('etc/udev/rules.d/61-dm-remap-attic.rules')).toContain('KERNEL=="vdz"');
  });

  it.each([
    ['wrongMain', '/dev/sdb is not the recorded main device (sizeBytes is 8, recorded 9)'],
    ['mainChanged', '/dev/sdb is the main device by its serial number, but 3 of 8 sampled blocks differ'],
  ] as const)('refuses a main device that a start would refuse (%s), unless --force', async (id, message) => {
    const { setId } = inspectReport();
    const asked: unknown[] = [];
    const problems = [
      { id: 'spareMissing', blocks: true, message: 'another' } as const,
      { id, blocks: true, message },
    ];
    const calls: Partial<LibraryCalls> = {
      inspectSpares: async () => inspectReport(),
      scanSets: async (options) => {
        asked.push(options);
        return { ...NOTHING_WRONG, sets: [{ setId, problems } as unknown as ScannedSet] };
      },
    };
    const { context } = fakeContext({ calls, machine: fakeMachine(DEVICES) });
    const line = ['boot', 'enable', 'attic', ...DISKS, '--root', root];
    await expect(runCommandLine(line, context)).rejects.toMatchObject({
      failure: 'refused',
      message: expect.stringMatching(/^\/dev\/sdb is .*, so a start at boot would be refused; .*--force/),
    });
    expect(asked).toEqual([{ paths: ['/dev/disk/by-id/usb-B'], mains: { [setId]: '/dev/sdb' } }]);
    expect(filesBelow(root)).toEqual([]);
    expect(await runCommandLine([...line, '--force'], context)).toBe(0);
    expect(filesBelow(root)).toContain('etc/dm-remap/attic.env');
  });

  it('refuses a program that is not there before other file systems are mounted', async () => {
    const machine = {
      ...fakeMachine(DEVICES),
      isOnRootFileSystem: (path: string) => path !== '/usr/bin/node',
    };
    const { context } = fakeContext({
      calls: { inspectSpares: async () => inspectReport(), scanSets: async () => NOTHING_WRONG },
      machine,
    });
    const enabling = runCommandLine(['boot', 'enable', 'attic', ...DISKS, '--root', root], context);
    await expect(enabling).rejects.toMatchObject({
      failure: 'refused',
      message: expect.stringContaining('/usr/bin/node'),
    });
  });

  it('writes over no files of another set, and starts none under two names', async () => {
    await boot('enable', 'attic', ...DISKS);
    const before = readFileSync(join(root, 'etc/dm-remap/attic.env'), 'utf8');
    const enable = (name: string, setId: string): Promise<number> => {
      const calls = {
        inspectSpares: async () => inspectReport({ setId }),
        scanSets: async () => NOTHING_WRONG,
      };
      const { context } = fakeContext({ calls, machine: fakeMachine(DEVICES) });
      return runCommandLine(['boot', 'enable', name, ...DISKS, '--root', root], context);
    };
    const { setId } = inspectReport();
    const other = `${setId.slice(0, -1)}${setId.endsWith('0') ? '1' : '0'}`;
    for (const [name, id, message] of [
      ['attic', other, /^attic: another set \(.*boot disable attic/],
      ['cellar', setId, /^cellar: this set starts at boot already, as attic.*boot disable attic/],
    ] as const)
      await expect(enable(name, id)).rejects.toMatchObject({
        failure: 'refused',
        message: expect.stringMatching(message),
      });
    expect(readFileSync(join(root, 'etc/dm-remap/attic.env'), 'utf8')).toBe(before);
    expect(await enable('attic', setId)).toBe(0);
  });

  it('wants all spares of the set', async () => {
    const report = inspectReport();
    const missing = { ...report.spares[0]!, index: 1, path: null };
    const calls = { inspectSpares: async () => inspectReport({ spares: [report.spares[0]!, missing] }) };
    const { context } = fakeContext({ calls, machine: fakeMachine(DEVICES) });
    const enabling = runCommandLine(['boot', 'enable', 'attic', ...DISKS, '--root', root], context);
    await expect(enabling).rejects.toMatchObject({ message: expect.stringContaining('2 spares') });
  });
});

describe('dmremap boot disable', () => {
  it('removes what was written; what all sets share goes with the last one', async () => {
    await boot('enable', 'attic', ...DISKS);
    await boot('enable', 'cellar', ...DISKS, '--force');
    await boot('disable', 'attic');
    expect(filesBelow(root)).toEqual([
      'etc/dm-remap/cellar.env',
      'etc/systemd/system/dm-remap@.service',
      'etc/systemd/system/dm-remap@cellar.service.d/members.conf',
      'etc/udev/rules.d/61-dm-remap-cellar.rules',
      'etc/udev/rules.d/61-dm-remap.rules',
    ]);
    await boot('disable', 'cellar');
    expect(filesBelow(root)).toEqual([]);
  });

  it('refuses a name that nothing here knows, and touches no file', async () => {
    await boot('enable', 'attic', ...DISKS);
    const before = filesBelow(root);
    await expect(boot('disable', 'atic')).rejects.toMatchObject({
      failure: 'device',
      message: expect.stringMatching(/^atic: no set of this name is prepared for boot/),
    });
    await expect(boot('disable', '../dm-remap/attic')).rejects.toMatchObject({ failure: 'usage' });
    expect(filesBelow(root)).toEqual(before);
  });

  it('says of a set of the configuration that it is not prepared', async () => {
    mkdirSync(join(root, 'nonexistent/dm-remap'), { recursive: true });
    writeFileSync(
      join(root, 'nonexistent/dm-remap/dm-remap.yaml'),
      'sets:\n  attic:\n    main: /dev/sdb\n    spares: [/dev/sdc]\n',
    );
    expect((await boot('disable', 'attic')).out).toBe('attic is not prepared for boot: nothing to remove\n');
    await boot('enable', 'attic');
    expect((await boot('disable', 'attic')).out).toMatch(/^(removed .*\n)+absent .*attic.service\n/);
  });

  it('goes on where half of the files are gone, and says with --dry-run which those are', async () => {
    await boot('enable', 'attic', ...DISKS);
    rmSync(join(root, 'etc/dm-remap/attic.env'));
    expect((await boot('disable', 'attic', '--dry-run')).out).toMatch(
      /^absent .*attic\.env\n(would go .*\n){2}absent /,
    );
    await boot('disable', 'attic');
    expect(filesBelow(root)).toEqual([]);
  });

  it('says of a set that is served that it is not prepared', async () => {
    const served = [{ device: deviceResource({ name: 'dm-remap-test-served' }) } as RunningSet];
    const running = { all: async () => served, one: () => Promise.reject(new Error('not asked for')) };
    const { context, out } = fakeContext({ running });
    expect(await runCommandLine(['boot', 'disable', 'dm-remap-test-served'], context)).toBe(0);
    expect(out.text).toContain('nothing to remove');
  });
});

describe('dmremap boot show', () => {
  it('lists the sets with their disks', async () => {
    expect((await boot('show')).out).toContain('no set');
    await boot('enable', 'attic', ...DISKS, '--', '--on-lost', 'zero');
    expect((await boot('show')).out).toBe(
      [
        '   name: attic',
        '  state: not enabled in systemd',
        ' device: /dev/dm-remap/attic',
        '   main: /dev/disk/by-id/ata-A',
        '  spare: /dev/disk/by-id/usb-B',
        'options: --on-lost zero',
        '',
      ].join('\n'),
    );
    writeFileSync(join(root, 'etc/udev/rules.d/61-dm-remap.rules'), '# of an older version\n');
    expect(JSON.parse((await boot('show', '--json')).out)).toMatchObject({
      version: 1,
      sets: [{ name: 'attic', main: '/dev/disk/by-id/ata-A', filesCurrent: false, startsAtBoot: false }],
    });
  });
});

describe('--root', () => {
  it.each([
    ['not-there', 'is not there'],
    ['file', 'is no directory'],
    ['file/below', 'ENOTDIR'],
  ])('%s is refused by every command, and nothing is made there', async (name, problem) => {
    writeFileSync(join(root, 'file'), '');
    const elsewhere = join(root, name);
    const calls = { inspectSpares: async () => inspectReport(), scanSets: async () => NOTHING_WRONG };
    const { context } = fakeContext({ calls, machine: fakeMachine(DEVICES) });
    for (const words of [
      ['boot', 'show'],
      ['boot', 'show', '--json'],
      ['boot', 'enable', 'attic', ...DISKS],
      ['boot', 'disable', 'attic'],
      ['forget', 'attic'],
    ])
      await expect(runCommandLine([...words, '--root', elsewhere], context)).rejects.toMatchObject({
        failure: 'device',
        message: expect.stringMatching(new RegExp(`^${elsewhere} .*${problem}`)),
      });
    expect(filesBelow(root)).toEqual(['file']);
  });
});

const NOTHING_WRONG: ScanReport = { sets: [], doubtful: [], unreadable: [] };
const DISKS = ['--main', '/dev/sdb', '--spare', '/dev/disk/by-id/usb-B'];
const DEVICES = {
  '/dev/sdb': { kernelName: 'sdb', isPartition: false, links: ['disk/by-uuid/1', 'disk/by-id/ata-A'] },
  '/dev/disk/by-id/usb-B': { kernelName: 'sdc', isPartition: false, links: ['disk/by-id/usb-B'] },
  '/dev/sdc': { kernelName: 'sdc', isPartition: false, links: ['disk/by-id/usb-B'] },
  '/dev/vdz': { kernelName: 'vdz', isPartition: false, links: ['disk/by-label/x'] },
};

/** One command below `root`; nothing of this machine is asked or told. */
async function boot(verb: string, ...args: string[]): Promise<{ out: string; err: string }> {
  const runs: string[] = [];
  const calls = { inspectSpares: async () => inspectReport(), scanSets: async () => NOTHING_WRONG };
  const { context, out, err } = fakeContext({ calls, machine: fakeMachine(DEVICES, runs) });
  const end = args.includes('--') ? args.indexOf('--') : args.length;
  const line = ['boot', verb, ...args.slice(0, end), '--root', root, ...args.slice(end)];
  expect(await runCommandLine(line, context)).toBe(0);
  expect(runs).toEqual([]);
  return { out: out.text, err: err.text };
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}

function textOf(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}
