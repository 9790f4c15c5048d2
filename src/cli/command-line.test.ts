import { describe, expect, it } from 'vitest';
import type { DeviceNotice, OpenDeviceOptions, ProtectedDevice } from '../library/device-types.js';
import { DmRemapError } from '../library/errors.js';
import type { FormatOptions } from '../library/offline-types.js';
import type { ScannedSet } from '../library/scan-types.js';
import { reportSettings } from '../settings/settings-in-force.js';
import type { CliContext } from './cli-context.js';
import { runCommandLine } from './command-line.js';
import { exitStatusOf } from './exit-status.js';
import { fakeContext, formatPlan, inspectReport, remapReport } from './testing/fake-context.js';

describe('the command line', () => {
  it.each([
    [[], 'say what to do'],
    [['frmat'], 'frmat'],
    [['help', 'frmat'], '"frmat" is no command'],
    [['spare', 'help', 'frmat'], '"frmat" is no command'],
    [['inspect'], 'missing required argument'],
    [['inspect', '--jsn', 'S'], '--jsn'],
    [['format', '--spare', 'S'], '--main'],
    [['frmat'], "unknown command 'frmat' (did you mean format?)"],
    [['status', '--jsn'], "unknown option '--jsn' (did you mean --json?)"],
    [['format', '--man', 'M', '--spare', 'S'], "unknown option '--man', and required option '--main <path>'"],
    [['format', '--main', 'M', '--main=N', '--spare', 'S'], '--main: is given twice'],
    [['metadata', 'dump', '--output', 'a', '--output', 'b', 'S'], '--output: is given twice'],
    [['status', '--watch', '1', '--watch', '1'], '--watch: is given twice'],
    [['completion', 'csh'], "value 'csh': allowed choices are bash, zsh, fish; see"],
    [['format', '--main', 'M', '--spare', 'S', '--unit', '4kB'], '4kB'],
    [['format', '--main', 'M', '--spare', 'S', '--copies', '9'], '1 to 8'],
    [['format', '--main', 'M', '--spare', 'S', '--name', 'ä'.repeat(33)], '64 bytes'],
    [['format', '--main', 'M', '--spare', 'S', '--name', 'attic\nDM_REMAP_UUID=x'], 'no line ends'],
    [['format', '--main', 'M', '--spare', 'S', '--name', 'a/b'], 'without "/"'],
    [['format', '--main', 'M', '--spare', 'S', '--name', '..'], 'not "." or ".."'],
    [['run', '--main', 'M', '--spare', 'S', '--name', 'attic\nx', '--nbd', 'nbd://h/'], 'no line ends'],
    [['run', '--main', 'M', '--spare', 'S', '--name', '.', '--nbd', 'nbd://h/'], 'not "." or ".."'],
    [['run', '--main', 'M', '--spare', 'S'], '--nbd'],
    [['run', '--main', 'M', '--spare', 'S', '--nbd', 'nbds://h/'], '--tls-dir'],
    [['run', '--main', 'M', '--spare', 'S', '--nbd', 'nbd://h/', '--verify-clients'], 'nbds'],
    [
      ['run', '--main', 'M', '--spare', 'S', '--nbd', 'nbd://h/', '--tls-dir', '/t'],
      '--tls-dir /t: works for nbds',
    ],
    [['run', '--main', 'M', '--spare', 'S', '--nbd', 'http://h/'], 'http://h/: expected nbd://'],
    [
      ['run', '--main', 'M', '--spare', 'S', '--nbd', 'nbd://h/', '--nbd', 'nbd://h:10809/x'],
      'h port 10809 is',
    ],
    [['run', '--main', 'M', '--spare', 'S', ...twice('nbd+unix:///?socket=/run/a')], '/run/a is named twice'],
    [['run', '--main', 'M', '--spare', 'S', '--io', 'fast'], 'uring, portable'],
    [['export', 'S'], '--dm-table'],
    [['boot'], 'say what to do'],
    [['boot', 'enable', 'attic'], '--main'],
    [['metadata'], 'say what to do'],
    [['create'], 'missing required argument'],
    [['create', 'a/b', '--table', '0 1 remap m s 0 1'], 'without "/"'],
    [['create', 'attic', '--table', '0 1 linear m 0'], '--table: target linear'],
    [['create', 'attic', '--table', '0 1 remap m s 0 1', '--nbd', 'nbd+unix:///?socket=s'], 'from / on'],
    [['message', 'attic', 'ping'], 'missing required argument'],
    [['message', 'attic', 'x', 'ping'], 'sector x'],
    [['wait', 'attic', 'x'], 'event number x'],
    [['remove'], '--all'],
    [['get'], 'missing required argument'],
    [['get', 'attic', 'gc_interval'], "gc_interval: can't be set here"],
    [['set', 'attic'], 'missing required argument'],
    [['set', 'attic', '__proto__=1'], '__proto__: no such setting'],
    [['set', 'attic', 'constructor=1'], 'constructor: no such setting'],
    [['set', 'attic', 'on_gone'], 'on_gone: expected SETTING=VALUE'],
    [['set', 'attic', 'on_gone=soon'], 'on_gone: expected fail, hold'],
    [['set', 'attic', 'max_remaps=1', 'max_remaps=2'], 'max_remaps: is given twice'],
    [['config'], 'say what to do'],
    [['config', 'check', '--config', '/nonexistent.yaml'], '/nonexistent.yaml'],
    [['run', '--config', 'x.yaml'], '--config needs the name of a set'],
    [['remove', 'attic', '--all'], '--all'],
    [['status', '--json', '--format', 'v4'], 'exclude each other'],
    [['status', '--format', 'v3'], 'v2, v4, human'],
    [['run', '--main', 'M', '--spare', 'S', '--created-as', 'linear'], '--created-as linear'],
    [['metadata', 'restore', '/nonexistent/set.txt', 'S'], '/nonexistent/set.txt'],
  ])('refuses %j as a usage error that names the mistake', async (args, mistake) => {
    const error = await failureOf(args, fakeContext().context);
    expect(exitStatusOf(error)).toBe(2);
    expect(error.message).toContain(mistake);
    expect(error.message).not.toContain('\n');
  });

  it('prints its version and its manual on standard output', async () => {
    const version = fakeContext({ version: '1.2.3' });
    expect(await runCommandLine(['--version'], version.context)).toBe(0);
    expect(version.out.text).toBe('dmremap 1.2.3\n');
    for (const args of [
      [],
      ['format'],
      ['run'],
      ['inspect'],
      ['remaps'],
      ['export'],
      ['boot'],
      ['boot', 'enable'],
      ['scan'],
      ['assemble'],
      ['man'],
      ['completion'],
      ['forget'],
      ['get'],
      ['set'],
      ['config'],
      ['config', 'check'],
      ['config', 'show'],
      ['config', 'schema'],
      ['metadata'],
      ['metadata', 'check'],
      ['metadata', 'copies'],
      ['metadata', 'dump'],
      ['metadata', 'repair'],
      ['metadata', 'restore'],
      ['create'],
      ['ls'],
      ['targets'],
      ['info'],
      ['table'],
      ['message'],
      ['suspend'],
      ['resume'],
      ['wait'],
      ['remove'],
      ['schema'],
    ]) {
      const help = fakeContext();
      expect(await runCommandLine([...args, '--help'], help.context)).toBe(0);
      expect(help.out.text).toMatch(
        /^SYNOPSIS\n {4}dmremap .*\n\nDESCRIPTION\n(.*\n)+\nEXIT STATUS\n(.*\n)+\nEXAMPLES\n/,
      );
      expect(Math.max(...help.out.text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(110);
    }
  });

  it.each([
    [['help'], ['--help']],
    [
      ['help', 'format'],
      ['format', '--help'],
    ],
    [
      ['help', 'spare', 'add'],
      ['spare', 'add', '--help'],
    ],
    [
      ['spare', 'help', 'add'],
      ['spare', 'add', '--help'],
    ],
    [
      ['metadata', 'help'],
      ['metadata', '--help'],
    ],
  ])('prints for %j what it prints for %j', async (asked, same) => {
    const help = await outputOf(asked, {});
    expect(help).toMatch(/^SYNOPSIS/);
    expect(help).toBe(await outputOf(same, {}));
  });

  it('passes failures of the library on as they are', async () => {
    const calls = { inspectSpares: () => Promise.reject(new DmRemapError('metadata', 'S: no metadata')) };
    const error = await failureOf(['inspect', 'S'], fakeContext({ calls }).context);
    expect(exitStatusOf(error)).toBe(5);
  });
});

describe('dmremap format', () => {
  const args = ['format', '--main', '/dev/sda', '--spare', '/dev/sdb', '--spare', '/dev/sdc', '--unit', '8k'];

  it('shows what would be overwritten, asks, and writes only after YES', async () => {
    for (const [answer, status] of [
      ['YES\n', 0],
      ['yes', 1],
      ['', 1],
    ] as const) {
      const formatted: FormatOptions[] = [];
      const { context, out, err } = fakeContext({
        running: NONE_RUNNING,
        calls: formatCalls(formatted),
        ask: async () => answer,
      });
      expect(await runCommandLine(args, context)).toBe(status);
      expect(err.text).toContain('/dev/sda, 64 MiB, WDC, serial W1: is not written');
      expect(err.text).toContain('/dev/sdb, 16 MiB, Stick, serial S1: WILL BE OVERWRITTEN, holds: xfs');
      expect(formatted).toHaveLength(status === 0 ? 1 : 0);
      if (status === 0)
        expect(out.text).toMatch(
          /^formatted \/dev\/sdb for \/dev\/sda: set 0f0e.*\nnext: dmremap run --main \/dev\/sda --spare \/dev\/sdb --ublk /,
        );
    }
  });

  it('warns of what an image has beyond whole blocks, once', async () => {
    const planFormat = async () => formatPlan({ mainUnusedBytes: 100 });
    const { context, err } = fakeContext({
      running: NONE_RUNNING,
      calls: { ...formatCalls([]), planFormat },
    });
    expect(await runCommandLine([...args, '--yes'], context)).toBe(0);
    expect(err.text).toBe(
      'dmremap: warning: /dev/sda: 100 bytes at its end are not served: the device has whole blocks of 512 bytes\n',
    );
  });

  it('says to programs, too, that the answer was not YES', async () => {
    const { context, out } = fakeContext({
      running: NONE_RUNNING,
      calls: formatCalls([]),
      ask: async () => 'no',
    });
    expect(await runCommandLine([...args, '--json'], context)).toBe(1);
    const error = { failure: 'declined', status: 1, message: 'nothing was written' };
    expect(JSON.parse(out.text)).toEqual({ version: 1, error });
  });

  it('refuses without a terminal and without --yes', async () => {
    const formatted: FormatOptions[] = [];
    const error = await failureOf(
      args,
      fakeContext({ running: NONE_RUNNING, calls: formatCalls(formatted) }).context,
    );
    expect(exitStatusOf(error)).toBe(2);
    expect(error.message).toContain('--yes');
    expect(formatted).toEqual([]);
  });

  it('does not ask with --yes, hands all options on, and prints JSON', async () => {
    const formatted: FormatOptions[] = [];
    const { context, out, err } = fakeContext({ calls: formatCalls(formatted) });
    const all = [...args, '--copies', '3', '--name', 'attic', '--force', '--yes', '--json'];
    expect(await runCommandLine(all, context)).toBe(0);
    expect(formatted).toEqual([
      {
        main: '/dev/sda',
        spares: ['/dev/sdb', '/dev/sdc'],
        unitBytes: 8192,
        copies: 3,
        name: 'attic',
        force: true,
      },
    ]);
    expect(JSON.parse(out.text)).toEqual({ version: 1, written: true, ...formatPlan() });
    expect(err.text).toBe('');
  });
});

describe('dmremap run', () => {
  const args = [
    'run',
    '--main',
    'M',
    '--spare',
    'S',
    '--nbd',
    'nbd://h:1/',
    '--nbd',
    'nbd+unix:///?socket=s',
  ];

  it('says ready for each URI, logs what the device reports, and closes the device after a signal', async () => {
    const device = fakeDevice();
    const told: string[] = [];
    const { context, out } = fakeContext({
      calls: { openDevice: device.open },
      stopSignals: { next: async () => 'SIGTERM' },
      serviceManager: {
        tell: async (...variables) => {
          told.push(`${out.text.split('\n').length - 1} ready: ${variables.join(' ')}`);
          return undefined;
        },
      },
    });
    expect(
      await runCommandLine([...args, '--log-level', 'silent', '--init', '--io', 'portable'], context),
    ).toBe(0);
    expect(out.text).toBe('ready nbd://h:1/ real\nready nbd+unix:///?socket=s real\n');
    expect(told).toEqual(['2 ready: READY=1 STATUS=serving x', '2 ready: STOPPING=1 STATUS=stopping']);
    expect(device.ends).toEqual(['close']);
    expect(device.options()).toMatchObject({
      main: 'M',
      spares: ['S'],
      init: true,
      io: 'portable',
      onLost: undefined,
      onGone: undefined,
      settings: { debug_level: { value: 0, givenBy: '--log-level' } },
    });
  });

  it('closes the device when it cannot serve', async () => {
    const device = fakeDevice(new DmRemapError('system', 'the port is taken'));
    const { context } = fakeContext({ calls: { openDevice: device.open } });
    expect((await failureOf([...args, '--log-level', 'silent'], context)).message).toBe('the port is taken');
    expect(device.ends).toEqual(['close']);
  });

  it.each([
    [['mounted at /mnt'], ['handOver']],
    [[], ['close']],
  ])('leaves a block device with the users %j to the next run when it cannot serve', async (users, ends) => {
    const device = fakeDevice(new DmRemapError('system', 'the port is taken'), users);
    const calls = { openDevice: device.open, guardAgainstReclaim: async () => [] };
    const { context } = fakeContext({ calls });
    expect((await failureOf([...args, '--ublk', '--log-level', 'silent'], context)).message).toBe(
      'the port is taken',
    );
    expect(device.ends).toEqual(ends);
  });
});

describe('the reading commands', () => {
  const remaps = [remapReport({ mainSector: 9000 }), remapReport({ lostSectors: [5002, 5003, 5007] })];

  it('print JSON with a version', async () => {
    const report = inspectReport({ remaps });
    const calls = { inspectSpares: async () => report };
    const inspected = await outputOf(['inspect', 'S', '--json'], { calls });
    expect(JSON.parse(inspected)).toMatchObject({ version: 1, state: 'critical', ...report });
    const listed = JSON.parse(await outputOf(['remaps', './S', '--json'], { calls }));
    expect(listed).toMatchObject({ version: 1, setId: report.setId, remaps: [remaps[1], remaps[0]] });
    const exported = await outputOf(['export', 'S', '--dm-table', '--main', 'M', '--json'], { calls });
    expect(JSON.parse(exported)).toMatchObject({ version: 1, main: 'M', spares: ['/dev/sdb'] });
  });

  it('name both where the main device of a set is there twice', async () => {
    const main = {
      path: null,
      candidates: ['a.img', 'b.img'],
      provedBy: null,
      sizeBytes: 1,
      model: '',
      serial: '',
    };
    const set = { setId: 'x', name: 'attic', main, spares: [], problems: [], updatedSeconds: 0 };
    const scanSets = async () => ({ sets: [set as unknown as ScannedSet], doubtful: [], unreadable: [] });
    const running = { all: async () => [], one: async () => Promise.reject(new Error('not asked')) };
    expect(await outputOf(['scan'], { calls: { scanSets }, running })).toMatch(
      /^ *main: a\.img or b\.img, /m,
    );
  });

  it('list remaps in the order of the main device', async () => {
    const calls = { inspectSpares: async () => inspectReport({ remaps }) };
    expect(await outputOf(['remaps', './S'], { calls })).toBe(
      [
        'SECTOR  COUNT  SPARE  SPARE SECTOR  REASON      ERRORS  TIME                     LOST SECTORS',
        '  5000      8      0           800  writeError       1  2023-11-14 22:14:10 UTC  5002-5003,5007',
        '  9000      8      0           800  writeError       1  2023-11-14 22:14:10 UTC  -',
        '',
      ].join('\n'),
    );
  });

  it('export a table with the given paths, and warn when the set is in use', async () => {
    const calls = {
      inspectSpares: async () => inspectReport({ remaps: [remapReport()], cleanShutdown: false }),
    };
    const { context, out, err } = fakeContext({ calls });
    await runCommandLine(
      ['export', 'S', '--dm-table', '--main', '/dev/m', '--spare-path', '/dev/s'],
      context,
    );
    expect(out.text).toBe(
      '0 5000 linear /dev/m 0\n5000 8 linear /dev/s 800\n5008 126064 linear /dev/m 5008\n',
    );
    expect(err.text).toContain('not stopped cleanly');
  });

  it('export a table with a word for the main device where its path is not given, and say so', async () => {
    const { context, out, err } = fakeContext({ calls: { inspectSpares: async () => inspectReport({}) } });
    await runCommandLine(['export', 'S', '--dm-table'], context);
    expect(out.text).toContain('linear MAIN 0');
    expect(err.text).toContain('--main');
  });

  it.each([
    ['/dev/sdb: is older', { spares: [{ ...inspectReport().spares[0]!, isStale: true }] }],
    ['the newest version of 1 page', { maybeOutdatedPages: 1 }],
    ['2 pages of the map are only on', { outOfReachPages: 2 }],
  ])('do not export a table that may give old data: %s', async (words, changes) => {
    const { context, out } = fakeContext({ calls: { inspectSpares: async () => inspectReport(changes) } });
    const error = await failureOf(['export', 'S', '--dm-table', '--spare-path', 'P'], context);
    expect(error.message).toContain(words);
    expect(out.text).toBe('');
  });

  it('do not export a table with a spare whose path nobody knows', async () => {
    const spares = [{ ...inspectReport().spares[0]!, path: null }];
    const { context } = fakeContext({ calls: { inspectSpares: async () => inspectReport({ spares }) } });
    const error = await failureOf(['export', 'S', '--dm-table', '--main', 'M'], context);
    expect(error.message).toContain('spare 0');
  });
});

function twice(uri: string): string[] {
  return ['--nbd', uri, '--nbd', uri];
}

async function outputOf(args: string[], options: Parameters<typeof fakeContext>[0]): Promise<string> {
  const { context, out } = fakeContext(options);
  expect(await runCommandLine(args, context)).toBe(0);
  return out.text;
}

async function failureOf(args: readonly string[], context: CliContext): Promise<DmRemapError> {
  const error = await runCommandLine(args, context).catch((thrown: unknown) => thrown);
  if (!(error instanceof DmRemapError)) throw new Error(`expected a DmRemapError, not ${String(error)}`);
  return error;
}

function formatCalls(formatted: FormatOptions[]) {
  return {
    planFormat: async () => formatPlan(),
    formatSpares: async (options: FormatOptions) => {
      formatted.push(options);
      return formatPlan();
    },
  };
}

/** `blockDeviceUsers`: with a block device, which these use. */
function fakeDevice(serveFailure?: DmRemapError, blockDeviceUsers?: string[]) {
  const ends: string[] = [];
  let given: OpenDeviceOptions | undefined;
  const notice: DeviceNotice = {
    level: 'info',
    event: 'remapped',
    message: 'remapped unit 5',
    details: { unit: 5 },
  };
  const device = {
    info: { setId: 'x', name: '', sizeBytes: 1, logicalBlockBytes: 512, unitBytes: 4096, io: 'portable' },
    gone: new Promise<void>(() => {}),
    status: async () => ({ counters: {} }),
    settings: async () => reportSettings({ values: {}, refused: [] }, {}),
    serveNbd: async (uri: string) => {
      if (serveFailure !== undefined) throw serveFailure;
      return { uri: `${uri} real`, stop: async () => {} };
    },
    ublk: blockDeviceUsers && { path: '/dev/ublkb7', users: () => blockDeviceUsers },
    close: async () => {
      ends.push('close');
    },
    handOver: async () => {
      ends.push('handOver');
    },
  } as unknown as ProtectedDevice;
  return {
    open: async (options: OpenDeviceOptions) => {
      given = options;
      options.onEvent?.(notice);
      return device;
    },
    ends,
    options: () => given,
  };
}

const NONE_RUNNING = { all: async () => [] };
