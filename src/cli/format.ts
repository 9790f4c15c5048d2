import { type Command, InvalidArgumentError, Option } from 'commander';
import { formatCount } from '../base/format-count.js';
import { commandLine } from '../base/shell-words.js';
import { isSamePath } from '../control/client/is-same-path.js';
import { labelOf } from '../control/client/pick-set.js';
import { DmRemapError } from '../library/errors.js';
import type { FormatOptions, FormatPlan, FormatTarget } from '../library/offline-types.js';
import type { AnswerOf } from './answer-schemas.js';
import type { CliContext } from './cli-context.js';
import { askConsent, declined } from './consent.js';
import { EXIT_STATUS } from './exit-status.js';
import { helpLikeManual } from './help.js';
import { nameOption } from './name-option.js';
import { coloured, type Output, writeAnswer } from './output.js';
import { repeated } from './repeated-option.js';
import { formatSize, parseSize } from './sizes.js';
import { formatFields } from './table.js';
import { warnUnusedTail } from './warn-unused-tail.js';

export interface FormatArguments extends FormatOptions {
  readonly yes: boolean;
  /** Only show what would be done. */
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** `dmremap format`: shows what will be overwritten, asks, and makes the spares ready. The main device is only read. */
export async function format(args: FormatArguments, context: CliContext): Promise<number> {
  const { yes, dryRun, json, ...options } = args;
  const plan = await context.library.planFormat(options);
  if (args.force !== true) await refuseServedMain(args.main, context);
  warnUnusedTail(plan, context.err);
  if (dryRun) {
    // The set id is drawn when it is written.
    if (json) writeAnswer<AnswerOf<'format'>>(context.out, { ...plan, setId: null, written: false });
    else context.out.write(planText(plan, context.out));
    return EXIT_STATUS.done;
  }
  if (!yes) {
    context.err.write(planText(plan, context.err));
    if (!(await askConsent(context))) return declined(context, json);
  }
  const written = await context.library.formatSpares(options);
  if (json) writeAnswer<AnswerOf<'format'>>(context.out, { ...written, written: true });
  else context.out.write(resultText(written));
  return EXIT_STATUS.done;
}

/** A new set would know nothing of what the set that is at work has moved. */
async function refuseServedMain(main: string, { running }: CliContext): Promise<void> {
  const served = (await running.all()).find(({ device }) => isSamePath(device.main.path, main));
  if (served === undefined) return;
  const label = commandLine([labelOf(served.device)]);
  throw new DmRemapError(
    'refused',
    `${main}: is the main device of ${label}, which is served now; "dmremap spare add" gives that another spare, "dmremap leave ${label}" takes the disk out of it first; --force formats all the same`,
  );
}

function planText(plan: FormatPlan, output: Output): string {
  const spares = plan.spares.map((spare): [string, string] => [
    'spare',
    `${targetText(spare)}: ${coloured(output, 'red', 'WILL BE OVERWRITTEN')}, ${contentsText(spare)}`,
  ]);
  return formatFields(
    [['main', `${targetText(plan.main)}: is not written`], ...spares, ['room', roomText(plan)]],
    output.columns,
  );
}

function targetText({ path, sizeBytes, model, serial }: FormatTarget): string {
  const identity = [model, serial === '' ? '' : `serial ${serial}`].filter((part) => part !== '');
  return [path, formatSize(sizeBytes), ...identity].join(', ');
}

function contentsText({ signature }: FormatTarget): string {
  return signature === null ? 'holds nothing that is recognised' : `holds: ${signature}`;
}

function roomText(plan: FormatPlan): string {
  const room = formatSize(plan.usableSpareUnits * plan.unitBytes);
  const units = `${formatCount(plan.usableSpareUnits, 'unit')} of ${formatSize(plan.unitBytes)}`;
  return `${units} (${room}) for bad sectors; ${formatCount(plan.copies.length, 'metadata copy', 'metadata copies')}`;
}

function resultText(plan: FormatPlan): string {
  const name = plan.name === '' ? '' : ` "${plan.name}"`;
  const spares = plan.spares.map(({ path }) => path).join(', ');
  return (
    `formatted ${spares} for ${plan.main.path}: set${name} ${plan.setId}, ${roomText(plan)}\n` +
    `next: ${nextText(plan)} (a block device), or with --nbd URI\n`
  );
}

function nextText({ main, spares }: FormatPlan): string {
  const devices = ['--main', main.path, ...spares.flatMap(({ path }) => ['--spare', path])];
  return commandLine(['dmremap', 'run', ...devices, '--ublk']);
}

export function addFormatCommand(program: Command, run: (args: FormatArguments) => Promise<void>): void {
  const command = program
    .command('format')
    .summary('make spare devices ready to protect a main device')
    .description(
      'Writes the metadata of a new set to one or more spare devices. The main device is not written at all: what is ' +
        'on it stays as it is, and it can be used without dm-remap again at any time, apart from what was moved.\n\n' +
        'Shows what will be overwritten and asks for YES. A spare that holds a file system, a partition table or the ' +
        'metadata of another set is refused, unless --force.',
    )
    .requiredOption('--main <path>', 'the disk (or image file) to protect')
    .requiredOption(
      '--spare <path>',
      'a device (or image file) for bad sectors; repeat for several',
      repeated,
    )
    .option(
      '--unit <size>',
      'what is moved as a whole: a power of two from 1k to 128k, one to 32 logical blocks of the disk; 4k by itself',
      sizeOption,
    )
    .option(
      '--copies <number>',
      'metadata copies, spread over the spares, one for each at least and 8 at most; 5 by itself',
      copiesOption,
    )
    .option('--name <text>', 'a name for people, up to 64 bytes', nameOption)
    .addOption(new Option('--force', 'overwrite spares that hold something').default(false))
    .addOption(new Option('--yes', 'do not ask').default(false))
    .addOption(new Option('--dry-run', 'show what would be overwritten, and end').default(false))
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action((options: CommandOptions) => {
      const { main, spare: spares, unit: unitBytes, copies, name, force, yes, dryRun, json } = options;
      return run({ main, spares, unitBytes, copies, name, force, yes, dryRun, json });
    });
  helpLikeManual(command, {
    exitStatuses: ['done', 'declined', 'usage', 'device', 'refused', 'io'],
    examples: [
      'dmremap format --main /dev/disk/by-id/ata-OLD --spare /dev/disk/by-id/usb-STICK',
      'dmremap format --main disk.img --spare spare.img --dry-run',
      'dmremap format --main disk.img --spare spare.img --yes',
    ],
  });
}

interface CommandOptions {
  readonly main: string;
  readonly spare: string[];
  readonly unit?: number;
  readonly copies?: number;
  readonly name?: string;
  readonly force: boolean;
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

function sizeOption(text: string): number {
  const size = parseSize(text);
  if (!size.ok) throw new InvalidArgumentError(size.error);
  return size.value;
}

function copiesOption(text: string): number {
  if (!/^[1-8]$/.test(text)) throw new InvalidArgumentError('give a number from 1 to 8');
  return Number(text);
}
