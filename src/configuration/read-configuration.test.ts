import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesOfDirectory, namedFile } from './configuration-files.js';
import { configurationJsonSchema } from './configuration-json-schema.js';
import { readConfiguration } from './read-configuration.js';

const ATTIC = `settings:
  debug_level: 2
  on_gone: hold
sets:
  attic:
    main: /dev/disk/by-id/ata-OLD
    spares: [/dev/disk/by-id/usb-STICK-part1]
    frontends:
      ublk: { queues: 2 }
      nbd: ["nbd+unix:///?socket=/run/attic.sock"]
    settings:
      on_gone: hold:120
      scan_interval_hours: 24
`;
const OTHER = 'main: /dev/c\n    spares: [/dev/d]';
const MINIMAL = 'sets:\n  cellar:\n    main: /dev/a\n    spares: [/dev/b]\n';

function read(...texts: string[]) {
  return readConfiguration(texts.map((text, index) => ({ path: `/etc/${index}.yaml`, text })));
}

describe('a configuration', () => {
  it('has sets with devices, frontends and settings, and says where each comes from', () => {
    const { ok, value } = read(ATTIC) as { ok: true; value: never };
    expect(ok).toBe(true);
    expect(value).toEqual({
      files: ['/etc/0.yaml'],
      sets: new Map([
        [
          'attic',
          {
            main: '/dev/disk/by-id/ata-OLD',
            spares: ['/dev/disk/by-id/usb-STICK-part1'],
            frontends: { ublk: { queues: 2 }, nbd: ['nbd+unix:///?socket=/run/attic.sock'] },
            where: '/etc/0.yaml:5',
            settings: {
              debug_level: { value: 2, givenBy: '/etc/0.yaml:2' },
              on_gone: { value: 120, givenBy: '/etc/0.yaml:12' },
              metadata_scrub_hours: { value: 24, givenBy: '/etc/0.yaml:13' },
            },
          },
        ],
      ]),
    });
  });

  it('of several files has the sets of all, and of settings for all sets the last', () => {
    const both = read(ATTIC, `${MINIMAL}settings: { debug_level: 3 }\n`);
    const sets = both.ok ? both.value.sets : new Map();
    expect([...sets.keys()]).toEqual(['attic', 'cellar']);
    expect(sets.get('attic').settings.debug_level).toEqual({ value: 3, givenBy: '/etc/1.yaml:5' });
    expect(sets.get('cellar').settings.on_gone).toMatchObject({ givenBy: '/etc/0.yaml:3' });
  });

  it.each([[''], ['# nothing\n'], ['sets:\n'], ['{}']])('can be empty: %j', (text) => {
    const empty = read(text.replace('sets:\n', 'sets: {}\n'));
    expect(empty.ok && empty.value.sets.size).toBe(0);
  });

  it('refuses a set that two files have, and says where the other one is', () => {
    expect(read(MINIMAL, `# two\n${MINIMAL}`)).toEqual({
      ok: false,
      error: '/etc/1.yaml:3:3: sets.cellar: is in /etc/0.yaml:2 already',
    });
  });

  it.each([
    [
      'main: /dev/b\n    spares: [/dev/c]',
      3,
      'sets.attic.main: /dev/b is a disk of cellar already (/etc/0.yaml:4)',
    ],
    [
      'main: /dev/c\n    spares: [/dev/d, /dev/a]',
      4,
      'sets.attic.spares[1]: /dev/a is a disk of cellar already',
    ],
    [
      `${OTHER}\n    name: cellar`,
      5,
      'sets.attic.name: "cellar" is the name of cellar already (/etc/0.yaml:2)',
    ],
    [
      `${OTHER}\n    frontends: { nbd: ["nbd:///x"] }`,
      5,
      '127.0.0.1 port 10809 is where cellar is served already',
    ],
    [`${OTHER}\n    frontends: { nbd: ["nbds+unix:///?socket=/run//c"] }`, 5, '/run/c is where cellar'],
  ])('refuses what another set has: %j', (attic, line, problem) => {
    const served = '    frontends: { nbd: ["nbd://127.0.0.1/", "nbd+unix:///?socket=/run/c"] }\n';
    const { error } = read(MINIMAL + served, `sets:\n  attic:\n    ${attic}\n`) as { error: string };
    expect(error).toMatch(new RegExp(`^/etc/1.yaml:${line}:[^\\n]*$`));
    expect(error).toContain(problem);
  });
});

const SET = 'sets:\n  attic:\n    main: /dev/a\n    spares: [/dev/b]\n';

describe('a mistake is told with line, column, key and what is wrong', () => {
  it.each([
    ['sets: [', /^\/etc\/0.yaml:1:8: Flow sequence/],
    ['sets:\n  a: 1\n  a: 2\n', /^\/etc\/0.yaml:3:3: Map keys must be unique/],
    ['set: {}\n', /^\/etc\/0.yaml:1:1: set: unknown key; allowed: sets, settings$/],
    ['- a\n', /^\/etc\/0.yaml:1:1: must be a map of: sets, settings$/],
    [
      'sets:\n  "a b":\n    main: /dev/a\n    spares: [/dev/b]\n',
      /^\/etc\/0.yaml:2:3: sets.a b: a name has up to 64/,
    ],
    ['sets:\n  attic: /dev/a\n', /^\/etc\/0.yaml:2:3: sets.attic: must be a map of: main, spares/],
    ['sets:\n  attic:\n    spares: [/dev/b]\n', /^\/etc\/0.yaml:2:3: sets.attic.main: must be a path$/],
    [SET.replace('/dev/a', 'disk.img'), /^\/etc\/0.yaml:3:5: sets.attic.main: must be an absolute path/],
    [SET.replace('[/dev/b]', '[]'), /^\/etc\/0.yaml:4:5: sets.attic.spares: must name one spare at least$/],
    [SET.replace('[/dev/b]', '/dev/b'), /^\/etc\/0.yaml:4:5: sets.attic.spares: must be a list of paths$/],
    [
      `${SET}  __proto__:\n    main: /dev/c\n    spares: [/dev/d]\n`,
      /^\/etc\/0.yaml:5:3: __proto__: no key can have this name/,
    ],
    [
      SET.replace('[/dev/b]', '[/dev/b, /dev/a]'),
      /^\/etc\/0.yaml:4:22: sets.attic.spares\[1\]: \/dev\/a is named twice; main device and spares/,
    ],
    [
      SET.replace('[/dev/b]', '[/dev/b, /dev/b]'),
      /^\/etc\/0.yaml:4:22: sets.attic.spares\[1\]: \/dev\/b is named twice/,
    ],
    [
      `${SET}    frontends:\n      nbd: [nbd:///a, nbd://127.0.0.1/a]\n`,
      /^\/etc\/0.yaml:6:23: sets.attic.frontends.nbd\[1\]: 127.0.0.1 port 10809 is named twice/,
    ],
    [`${SET}    name: "a\\nb"\n`, /^\/etc\/0.yaml:5:5: sets.attic.name: give letters, digits and signs only/],
    [`${SET}    name: a/b\n`, /^\/etc\/0.yaml:5:5: sets.attic.name: give a name without "\/"/],
    [
      `${SET}    frontend: {}\n`,
      /^\/etc\/0.yaml:5:5: sets.attic.frontend: unknown key; allowed: main, spares, name/,
    ],
    [
      `${SET}    frontends: { ublk: yes }\n`,
      /^\/etc\/0.yaml:5:18: sets.attic.frontends.ublk: must be true, false, or/,
    ],
    [
      `${SET}    frontends:\n      nbd:\n        - http://h/\n`,
      /^\/etc\/0.yaml:7:11: sets.attic.frontends.nbd\[0\]: expected nbd:\/\//,
    ],
    [
      `${SET}    settings: { on_gone: 30 }\n`,
      /^\/etc\/0.yaml:5:17: sets.attic.settings.on_gone: expected fail, hold/,
    ],
    [
      `settings:\n  max_remaps: -1\n`,
      /^\/etc\/0.yaml:2:3: settings.max_remaps: expected a whole number from 0/,
    ],
    [
      `settings:\n  auto_remap_enabled: 0\n`,
      /^\/etc\/0.yaml:2:3: settings.auto_remap_enabled: is always 1 here: bad/,
    ],
    [
      `settings:\n  gc_interval: 3\n`,
      /^\/etc\/0.yaml:2:3: settings.gc_interval: .*can't be set here: there is nothing/,
    ],
    [`settings:\n  debug: 1\n  debug_level: 1\n`, /^\/etc\/0.yaml:1:1: settings: debug: is given twice$/],
    ['settings: *nowhere\n', /^\/etc\/0.yaml:1:1: Unresolved alias/],
  ])('%j', (text, message) => {
    const { ok, error } = read(text) as { ok: boolean; error: string };
    expect(ok).toBe(false);
    expect(error).toMatch(message);
    expect(error.split('\n')).toHaveLength(1);
  });

  const LONG = 'x'.repeat(100_000);
  it.each([
    ['a long path', SET.replace('[/dev/b]', `[/b, /${LONG}, /${LONG}]`), 1],
    ['a long word that is no YAML', `settings: *${LONG}\n`, 1],
    ['thousands of them', `sets:\n${'  a: 1\n'.repeat(3000)}`, 21],
  ])('in lines that a terminal can show: %s', (_what, text, lineCount) => {
    const { error } = read(text) as { error: string };
    const lines = error.split('\n');
    expect(lines.length).toBeLessThanOrEqual(lineCount);
    for (const line of lines) expect(line.length).toBeLessThan(1100);
  });

  it('each in a line of its own, of all files', () => {
    const { error } = read('set: 1\n', 'sets:\n  attic: { main: a, spares: [b] }\n') as { error: string };
    expect(error.split('\n').map((line) => line.split(': ')[0])).toEqual([
      '/etc/0.yaml:1:1',
      '/etc/1.yaml:2:12',
      '/etc/1.yaml:2:30',
    ]);
  });
});

describe('the files', () => {
  it('are dm-remap.yaml, then those of conf.d by name; none is needed', () => {
    const directory = mkdtempSync(join(tmpdir(), 'dm-remap-configuration-'));
    expect(filesOfDirectory(join(directory, 'absent'))).toEqual({ ok: true, value: [] });
    mkdirSync(join(directory, 'conf.d'));
    for (const name of ['conf.d/b.yaml', 'conf.d/a.yaml', 'conf.d/.c.yaml', 'conf.d/d.yml', 'attic.env'])
      writeFileSync(join(directory, name), name);
    const names = (): string[] => {
      const files = filesOfDirectory(directory);
      return files.ok ? files.value.map(({ text }) => text) : [files.error];
    };
    expect(names()).toEqual(['conf.d/a.yaml', 'conf.d/b.yaml']);
    writeFileSync(join(directory, 'dm-remap.yaml'), 'first');
    expect(names()).toEqual(['first', 'conf.d/a.yaml', 'conf.d/b.yaml']);
    mkdirSync(join(directory, 'conf.d/z.yaml'));
    expect(names()).toEqual([expect.stringMatching(/conf\.d\/z\.yaml: can't be read \(EISDIR\)/)]);
    expect(namedFile(join(directory, 'none.yaml'))).toMatchObject({ ok: false });
    rmSync(directory, { recursive: true });
  });

  it.each([
    [
      'an image',
      Buffer.from([0xeb, 0x3c, 0x90, 0xff]),
      'is no text in UTF-8; it should be a configuration file',
    ],
    ['an empty image', Buffer.alloc(4096), 'is no text in UTF-8; it should be'],
    ['a file of megabytes', Buffer.alloc((1 << 20) + 1, 'a\n'), 'has more than 1048576 bytes; it should be'],
  ])('are refused where one is %s', (_what, bytes, problem) => {
    const directory = mkdtempSync(join(tmpdir(), 'dm-remap-configuration-'));
    const path = join(directory, 'm2.img');
    writeFileSync(path, bytes);
    const read = namedFile(path);
    rmSync(directory, { recursive: true });
    expect(!read.ok && read.error).toContain(`${path}: ${problem}`);
  });
});

describe('the page about it', () => {
  const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');

  it('has an example that is right', () => {
    const [example] = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text!);
    const configuration = read(example!);
    expect(configuration.ok && [...configuration.value.sets.keys()]).toEqual(['attic']);
  });

  it('names every key', () => {
    const schema = configurationJsonSchema() as {
      properties: { sets: { additionalProperties: { properties: Record<string, { properties?: object }> } } };
    };
    const { properties } = schema.properties.sets.additionalProperties;
    const keys = [...Object.keys(properties), ...Object.keys(properties.frontends!.properties!)];
    for (const key of keys) expect(page).toContain(`| \`${key}\` |`);
  });
});
