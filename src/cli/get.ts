import { type Command, Option } from 'commander';
import type { SettingResource } from '../control/schema/settings.js';
import { DmRemapError } from '../library/errors.js';
import { MODULE_ALIASES, MODULE_PARAMETERS } from '../settings/module-parameters.js';
import { settingNamed, whyNoSetting } from '../settings/setting-changes.js';
import type { CliContext } from './cli-context.js';
import { EXIT_STATUS } from './exit-status.js';
import { helpLikeManual } from './help.js';
import { writeJson } from './output.js';
import { settingParagraphs } from './setting-help.js';
import { formatTable } from './table.js';

export interface GetArguments {
  readonly set: string;
  /** Undefined: all. */
  readonly name: string | undefined;
  readonly json: boolean;
}

/** `dmremap get`: the settings of a set, in force and kept; of one of them the value alone. */
export async function get(args: GetArguments, context: CliContext): Promise<number> {
  const { name, json } = args;
  const fixed = name === undefined ? undefined : fixedValueOf(name);
  const key = name === undefined ? undefined : settingNamed(name);
  if (name !== undefined && key === undefined && fixed === undefined)
    throw new DmRemapError('usage', whyNoSetting(name, '')!);
  const { client } = await context.running.one(args.set);
  if (fixed !== undefined) {
    if (json) writeJson(context.out, { settings: [fixedReport(name!, fixed)] });
    else context.out.write(`${fixed}\n`);
    return EXIT_STATUS.done;
  }
  const all = (await client.settings()).settings;
  const wanted = key === undefined ? all : all.filter((one) => one.name === key);
  if (json) writeJson(context.out, { settings: wanted });
  else if (key === undefined) context.out.write(formatTable(TITLES, wanted.map(rowOf)));
  else context.out.write(`${wanted[0]!.value}\n`);
  return EXIT_STATUS.done;
}

/** Of a parameter of the module that has one value here. */
function fixedValueOf(name: string): number | undefined {
  const own = MODULE_ALIASES[name] ?? name;
  return Object.hasOwn(MODULE_PARAMETERS, own) ? MODULE_PARAMETERS[own]!.value : undefined;
}

function fixedReport(name: string, value: number): Record<string, unknown> {
  return { name, value, source: 'default', givenBy: null, kept: null, default: value };
}

function rowOf({ name, value, source, givenBy, kept, default: standard }: SettingResource): string[] {
  const from = givenBy === null ? source : `given (${givenBy})`;
  return [name, String(value), from, kept === null ? '-' : String(kept), String(standard)];
}

const TITLES = ['SETTING', 'VALUE', 'FROM', 'KEPT', 'DEFAULT'];

export function addGetCommand(program: Command, run: (args: GetArguments) => Promise<void>): void {
  const command = program
    .command('get')
    .summary('show the settings of a set')
    .description(
      'Shows the settings of a set that is served: what is in force, where it comes from (given when the set was started, ' +
        'kept on its spares, or the default), and what is kept. With SETTING the value alone.\n\n' +
        settingParagraphs(),
    )
    .argument('<set>', 'name, set id, block device, main device or spare')
    .argument('[setting]', 'one of these, or its name in the kernel module')
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action((set: string, name: string | undefined, { json }: { json: boolean }) => run({ set, name, json }));
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage', 'device'],
    examples: ['dmremap get attic', 'dmremap get attic on_gone'],
  });
}
