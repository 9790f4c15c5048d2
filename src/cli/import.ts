import { type Command, Option } from 'commander';
import { DmRemapError } from '../library/errors.js';
import type { ImportOptions } from '../library/import-types.js';
import type { CliContext } from './cli-context.js';
import { askConsent, declined } from './consent.js';
import { EXIT_STATUS } from './exit-status.js';
import { helpLikeManual } from './help.js';
import { importPlanText, importResultText, moduleSpareText } from './import-text.js';
import { type Output, writeJson } from './output.js';

export interface ImportArguments {
  readonly spare: string;
  readonly main: string | undefined;
  readonly to: string | undefined;
  readonly list: boolean;
  readonly dryRun: boolean;
  readonly includeDisputed: boolean;
  readonly force: boolean;
  readonly yes: boolean;
  readonly json: boolean;
}

/** `dmremap import`: a set of dm-remap from a spare of the kernel module. That spare is only read. */
export async function importModuleSpare(args: ImportArguments, context: CliContext): Promise<number> {
  const { list, dryRun, to, yes, json } = args;
  if (list || to === undefined) return look(args, context);
  const options = importOptions(args, to);
  const plan = await context.library.planImport(options);
  if (dryRun) {
    if (json) writeJson(context.out, { written: false, ...plan });
    else context.out.write(importPlanText(plan, context.out));
    return EXIT_STATUS.done;
  }
  if (!yes) {
    context.err.write(importPlanText(plan, context.err));
    if (!(await askConsent(context))) return declined(context, json);
  }
  const result = await context.library.importSpare(options, {
    agreed: plan,
    onRead: progressOn(context.err),
  });
  if (json) writeJson(context.out, { written: true, ...result });
  else context.out.write(importResultText(result));
  return EXIT_STATUS.done;
}

/** One line that is written over and over; only for a person at a terminal. */
function progressOn(output: Output): (doneCount: number, unitCount: number) => void {
  return (doneCount, unitCount) => {
    if (!output.isTerminal) return;
    output.write(`\rread ${doneCount} of ${unitCount} units`);
    if (doneCount === unitCount) output.write('; now all is written to the new spare and read back\n');
  };
}

async function look({ spare, main, list, json }: ImportArguments, context: CliContext): Promise<number> {
  const report = await context.library.inspectModuleSpare({ spare, main });
  if (json) writeJson(context.out, { ...report });
  else context.out.write(moduleSpareText(report, context.out));
  if (!list && report.isUsable)
    context.err.write('dmremap: nothing was imported; --to says which device becomes the new spare\n');
  return report.isUsable ? EXIT_STATUS.done : EXIT_STATUS.metadata;
}

function importOptions({ spare, main, includeDisputed, force }: ImportArguments, to: string): ImportOptions {
  if (main === undefined) {
    throw new DmRemapError(
      'usage',
      'say which main device the spare belongs to: --main; or only look, without --to',
    );
  }
  return { spare, main, to, includeDisputed, force };
}

export function addImportCommand(program: Command, run: (args: ImportArguments) => Promise<void>): void {
  const command = program
    .command('import')
    .summary('take over a spare of the dm-remap kernel module')
    .description(
      'Reads what the dm-remap kernel module has left on a spare, and makes another device the spare of a new set ' +
        'with the same remaps and their data. The main device and the old spare are only read; stop the module first.\n\n' +
        'Shows what was found, which remaps can be trusted and why others can not, and what will be overwritten, and ' +
        'asks for YES. Remaps without trust are left out: their sectors are read from the main device. What can not ' +
        'be read any more becomes a lost block, which gives an error until it is written anew.\n\n' +
        'Reads version 4.2, and version 3 as far as it can be. Recognises versions 4.0 and 4.1 and the record of the ' +
        'shell tool, which hold no remaps. See docs/import.md.',
    )
    .argument('<spare>', 'the spare device or image file of the kernel module')
    .option('--main <path>', 'the main device that it belongs to; not needed with --list')
    .option(
      '--to <path>',
      'the device or file to become the new spare, another than the old one; left out, nothing is imported',
    )
    .addOption(new Option('--list', 'only show what is on the spare').default(false))
    .addOption(new Option('--dry-run', 'show what would be imported, and end').default(false))
    .addOption(
      new Option(
        '--include-disputed',
        'also import remaps that not all valid copies of the record have, if nothing else speaks against them',
      ).default(false),
    )
    .addOption(
      new Option(
        '--force',
        'overwrite a new spare that holds something; take a main device of another size than the recorded one, and an ' +
          'old spare that holds something else, too',
      ).default(false),
    )
    .addOption(new Option('--yes', 'do not ask').default(false))
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action((spare: string, options: CommandOptions) => {
      const { main, to, list, dryRun, includeDisputed, force, yes, json } = options;
      return run({ spare, main, to, list, dryRun, includeDisputed, force, yes, json });
    });
  helpLikeManual(command, {
    exitStatuses: ['done', 'declined', 'usage', 'device', 'refused', 'metadata', 'io'],
    examples: [
      'dmremap import /dev/sdOLD --main /dev/sdX --list',
      'dmremap import /dev/sdOLD --main /dev/sdX --to /dev/sdNEW',
    ],
  });
}

interface CommandOptions {
  readonly main?: string;
  readonly to?: string;
  readonly list: boolean;
  readonly dryRun: boolean;
  readonly includeDisputed: boolean;
  readonly force: boolean;
  readonly yes: boolean;
  readonly json: boolean;
}
