import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OpenDeviceOptions } from '../library/device-types.js';
import { DmRemapError } from '../library/errors.js';
import { runCommandLine } from './command-line.js';
import { fakeContext } from './testing/fake-context.js';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dm-remap-configuration-'));
  mkdirSync(join(directory, 'conf.d'));
});

afterEach(() => rmSync(directory, { recursive: true }));

const ATTIC = `sets:
  attic:
    main: /dev/a
    spares: [/dev/b, /dev/c]
    frontends: { nbd: ["nbd://h:1/"] }
    archive: /srv/maps
    settings: { on_gone: hold, max_remaps: 5 }
`;

function write(text: string, name = 'dm-remap.yaml'): string {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
}

/** What the library is asked to open. */
async function opened(...args: string[]): Promise<OpenDeviceOptions> {
  let options: OpenDeviceOptions | undefined;
  const openDevice = async (given: OpenDeviceOptions): Promise<never> => {
    options = given;
    throw new DmRemapError('device', 'as far as the test goes');
  };
  const calls = { openDevice, guardAgainstReclaim: async () => [] };
  const { context } = fakeContext({ calls, configurationDirectory: directory });
  await expect(runCommandLine(['run', ...args, '--log-level', 'silent'], context)).rejects.toThrow(
    'as far as',
  );
  return options!;
}

async function mistake(...args: string[]): Promise<string> {
  const { context } = fakeContext({ configurationDirectory: directory });
  const error = await runCommandLine(args, context).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ failure: 'usage' });
  return (error as DmRemapError).message;
}

async function output(...args: string[]): Promise<string> {
  const { context, out } = fakeContext({ configurationDirectory: directory });
  expect(await runCommandLine(args, context)).toBe(0);
  return out.text;
}

describe('dmremap run NAME', () => {
  it('takes from the configuration what no option says', async () => {
    const path = write(ATTIC);
    expect(await opened('attic')).toMatchObject({
      main: '/dev/a',
      spares: ['/dev/b', '/dev/c'],
      archive: '/srv/maps',
      ublk: undefined,
      settings: {
        on_gone: { value: 'hold', givenBy: `${path}:7` },
        max_remaps: { value: 5, givenBy: `${path}:7` },
        debug_level: { givenBy: '--log-level' },
      },
    });
    const beaten = await opened(
      'attic',
      '--main',
      '/dev/m',
      '--spare',
      '/dev/s',
      '--archive',
      '/x',
      '--on-gone',
      'fail',
    );
    expect(beaten).toMatchObject({ main: '/dev/m', spares: ['/dev/s'], archive: '/x', onGone: 'fail' });
  });

  it('puts options of a block device beside what the configuration says of it', async () => {
    write(ATTIC.replace('nbd: ["nbd://h:1/"]', 'ublk: { queues: 2, depth: 64 }'));
    expect((await opened('attic')).ublk).toMatchObject({ queueCount: 2, depth: 64 });
    const { ublk } = await opened('attic', '--ublk', '--take-over', '--depth', '8');
    expect(ublk).toEqual({ queueCount: 2, depth: 8, takeOver: true });
    write(ATTIC.replace('nbd: ["nbd://h:1/"]', 'nbd: ["nbd://h:1/"], ublk: false'));
    expect((await opened('attic')).ublk).toBeUndefined();
  });

  it('needs no entry where options name the devices, as a service does', async () => {
    const devices = ['--main', '/dev/a', '--spare', '/dev/b', '--nbd', 'nbd://h:1/'];
    expect(await opened('attic', ...devices)).toMatchObject({ main: '/dev/a', spares: ['/dev/b'] });
  });

  it('refuses certificates where nothing is encrypted, unless options serve elsewhere this time', async () => {
    write(ATTIC.replace('"nbd://h:1/"]', '"nbd://h:1/"], tls_directory: /t'));
    expect(await mistake('run', 'attic')).toContain('--tls-dir /t: works for nbds URIs only');
    expect(await opened('attic', '--nbd', 'nbd://h:2/')).toMatchObject({ main: '/dev/a' });
  });

  it('says what is missing where', async () => {
    expect(await mistake('run', 'attic')).toBe(
      `attic: is no set in ${directory}/dm-remap.yaml and conf.d; describe it there, or give --main and --spare`,
    );
    expect(await mistake('run', '--main', '/dev/a', '--nbd', 'nbd://h:1/')).toContain('--main and --spare');
    expect(await mistake('run', '--config', '/x')).toContain('--config needs the name of a set');
    expect(await mistake('run', 'attic', '--config', '/nonexistent.yaml')).toContain(
      "/nonexistent.yaml: can't be read",
    );
    const path = write('sets:\n  attic:\n    main: a\n', 'conf.d/attic.yaml');
    expect(await mistake('run', 'attic', '--main', '/dev/a', '--spare', '/dev/b')).toMatch(
      new RegExp(`^${path}:3:5: sets.attic.main: must be an absolute path`),
    );
  });

  it('without a name reads no file', async () => {
    write('broken: [');
    expect(await opened('--main', 'M', '--spare', 'S', '--nbd', 'nbd://h:1/')).toMatchObject({ main: 'M' });
  });
});

describe('dmremap config', () => {
  it('check says that files are good, or that there are none', async () => {
    expect(await output('config', 'check')).toBe(
      `${directory}/dm-remap.yaml and conf.d: no configuration, and none is needed\n`,
    );
    const path = write(ATTIC);
    expect(await output('config', 'check')).toBe(`${path}: good, 1 set\n`);
    write('settings: { debug_level: 9 }\n', 'conf.d/x.yaml');
    expect(await mistake('config', 'check')).toBe(
      `${directory}/conf.d/x.yaml:1:13: settings.debug_level: expected a whole number from 0 to 3`,
    );
  });

  it('show prints all files as one that can be read again, and as JSON', async () => {
    write(ATTIC);
    write('settings: { debug_level: 2, on_gone: fail }\n', 'conf.d/x.yaml');
    const shown = await output('config', 'show');
    const json = JSON.parse(await output('config', 'show', '--json'));
    expect(json.sets.attic.settings).toEqual({ debug_level: 2, on_gone: 'hold', max_remaps: 5 });
    const again = write(shown, 'again.yaml');
    expect(JSON.parse(await output('config', 'show', '--json', '--config', again)).sets).toEqual(json.sets);
  });

  it('schema prints a JSON schema with the ranges of the settings', async () => {
    const schema = JSON.parse(await output('config', 'schema'));
    expect(schema.properties.settings.properties.debug_level).toMatchObject({ minimum: 0, maximum: 3 });
    expect(schema.additionalProperties).toBe(false);
  });
});

describe('dmremap boot enable', () => {
  it('looks for devices in the configuration, and says so where there are none', async () => {
    expect(await mistake('boot', 'enable', 'attic')).toContain('attic: is no set in');
  });
});
