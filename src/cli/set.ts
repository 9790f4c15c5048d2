import { type Command, Option } from 'commander';
import type { SettingsChangedResource } from '../control/schema/settings.js';
import { DmRemapError } from '../library/errors.js';
import { readSettingChanges, settingNamed } from '../settings/setting-changes.js';
import type { CliContext } from './cli-context.js';
import { EXIT_STATUS } from './exit-status.js';
import { helpLikeManual } from './help.js';
import { writeJson } from './output.js';
import { settingParagraphs } from './setting-help.js';

export interface SetArguments {
  readonly set: string;
  /** `NAME=VALUE`, one at least. */
  readonly assignments: readonly string[];
  readonly json: boolean;
}

/** `dmremap set`: changes settings of a set, all or none; mistakes are found before anybody is asked. */
export async function set(args: SetArguments, context: CliContext): Promise<number> {
  const given = assignmentsOf(args.assignments);
  const understood = readSettingChanges(given);
  if (!understood.ok) throw new DmRemapError('usage', understood.error);
  const { client } = await context.running.one(args.set);
  const outcome = await client.changeSettings(bodyOf(given));
  if (args.json) writeJson(context.out, { ...outcome });
  else context.out.write(textOf(outcome, Object.keys(given)));
  return EXIT_STATUS.done;
}

function assignmentsOf(assignments: readonly string[]): Record<string, string | null> {
  // A setting may be called anything by mistake, "constructor" too.
  const given = new Map<string, string | null>();
  for (const text of assignments) {
    const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(text) ?? [];
    if (name === undefined || value === undefined)
      throw new DmRemapError('usage', `${text}: expected SETTING=VALUE`);
    if (given.has(name)) throw new DmRemapError('usage', `${name}: is given twice`);
    given.set(name, value === DEFAULT_WORD ? null : value);
  }
  return Object.fromEntries(given);
}

/** Numbers as numbers; the parameters of the module that have one value need not be told to anybody. */
function bodyOf(given: Readonly<Record<string, string | null>>): Record<string, string | number | null> {
  const entries = Object.entries(given).filter(([name]) => settingNamed(name) !== undefined);
  return Object.fromEntries(
    entries.map(([name, text]) => [name, text !== null && /^\s*\d+\s*$/.test(text) ? Number(text) : text]),
  );
}

/** A line for each setting that was named. */
function textOf({ changed, settings }: SettingsChangedResource, names: readonly string[]): string {
  const keys = names.map((name) => settingNamed(name)).filter((key) => key !== undefined);
  const lines = settings
    .filter(({ name }) => keys.includes(name))
    .map(({ name, value }) => `${name} is ${value}${changed.includes(name) ? ' now' : ': kept as it was'}\n`);
  const others = names.filter((name) => settingNamed(name) === undefined);
  return [...lines, ...others.map((name) => `${name}: is so always\n`)].join('');
}

const DEFAULT_WORD = 'default';

export function addSetCommand(program: Command, run: (args: SetArguments) => Promise<void>): void {
  const command = program
    .command('set')
    .summary('change settings of a set')
    .description(
      'Changes settings of a set that is served, all that are named or none: they are kept on its spares, in force at once, ' +
        'and at the next start. SETTING=default forgets what is kept. What was given when the set was started (by an option ' +
        'or the configuration) is refused.\n\n' +
        settingParagraphs(),
    )
    .usage('SET SETTING=VALUE... [options]')
    .argument('<set>', 'name, set id, block device, main device or spare')
    .argument('<assignment...>', 'one of these settings, or its name in the kernel module, with its value')
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action((name: string, assignments: string[], { json }: { json: boolean }) =>
      run({ set: name, assignments, json }),
    );
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage', 'device', 'refused', 'io'],
    examples: ['dmremap set attic on_gone=hold:120 debug_level=2', 'dmremap set attic on_gone=default'],
  });
}
