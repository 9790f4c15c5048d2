import { type Command, Option } from 'commander';
import { formatCount } from '../base/format-count.js';
import type { RepairReport } from '../library/metadata-types.js';
import type { CliContext } from './cli-context.js';
import { askConsent, declined } from './consent.js';
import { helpLikeManual } from './help.js';
import { statusOf } from './metadata-check.js';
import { GROWN_SPARE, hasGrown } from './metadata-text.js';
import { writeJson } from './output.js';
import { withProgress } from './transfer-progress.js';

export interface RepairArguments {
  readonly spares: readonly string[];
  readonly dryRun: boolean;
  readonly force: boolean;
  readonly yes: boolean;
  readonly json: boolean;
}

/** `dmremap metadata repair`: prints its plan, asks, and makes every copy whole from what is left. */
export async function repairMetadata(args: RepairArguments, context: CliContext): Promise<number> {
  const { spares, dryRun, force, yes, json } = args;
  const { library, err } = context;
  const plan = await withProgress(err, (watch) => library.planMetadataRepair({ spares, force, ...watch }));
  context.err.write(planText(plan));
  if (dryRun || plan.nothingToDo) {
    if (json) writeJson(context.out, jsonOf(plan, false));
    return statusOf(plan.check);
  }
  if (!yes && !(await askConsent(context))) return declined(context, json);
  const options = { spares, force, planId: plan.planId };
  const done = await withProgress(err, (watch) => library.repairMetadata({ ...options, ...watch }));
  if (json) writeJson(context.out, jsonOf(done, true));
  else context.out.write(resultText(done));
  return statusOf(done.check);
}

function jsonOf(
  { planId: _, check, ...rest }: RepairReport,
  isWritten: boolean,
): Readonly<Record<string, unknown>> {
  return { written: isWritten, ...rest, check };
}

function planText(plan: RepairReport): string {
  const copies = (list: readonly number[]): string => list.join(', ');
  const steps = [
    ...(plan.superblockCopies.length === 0
      ? []
      : [`write the current superblock to copy ${copies(plan.superblockCopies)}`]),
    ...(plan.updatesSuperblockTwice ? [`update the superblock of all copies twice, ${purposeOf(plan)}`] : []),
    ...(plan.inPlacePages === 0
      ? []
      : [`write ${formatCount(plan.inPlacePages, 'page')} to the copies that lack the current version`]),
    ...(plan.pagesWrittenTwice === 0
      ? []
      : [`write ${formatCount(plan.pagesWrittenTwice, 'page')} anew to all copies, twice`]),
    ...(plan.noteCopies.length === 0 ? [] : [`write the text note of copy ${copies(plan.noteCopies)}`]),
  ];
  const lines = steps.length === 0 ? ['nothing has to be written'] : steps;
  const missing = plan.notRepairable.map((line) => `can't be rebuilt: ${line}`);
  return [...lines.map((line) => `plan: ${line}`), ...missing].map((line) => `${line}\n`).join('');
}

function purposeOf({ forgetsCopying }: RepairReport): string {
  return forgetsCopying
    ? 'without how far the set was copied to another disk, as it may hold something else afterwards: "evacuate" begins anew'
    : 'so that nothing hidden in a damaged block can win later';
}

function resultText({ check }: RepairReport): string {
  if (check.state === 'clean') return 'repaired: every block of every copy is as it should be\n';
  if (hasGrown(check)) return `repaired; ${GROWN_SPARE}\n`;
  if (check.state === 'damaged')
    return `repaired, but ${formatCount(check.findings.length, 'block')} did not take it: the set works, yet that spare is failing\n`;
  return `repaired what can be; the set is still ${check.state}\n`;
}

export function addRepairCommand(program: Command, run: (args: RepairArguments) => Promise<void>): void {
  const command = program
    .command('repair')
    .summary('make every copy whole again from what is left')
    .description(
      'Writes every copy, superblock, page and text note anew that is damaged, out of date or unreadable, from the ' +
        'newest valid versions: one good copy is enough. Prints its plan first and asks for YES. Neither the map nor ' +
        'any data changes. What no copy has can not be rebuilt; that is said, and the rest is repaired.\n\n' +
        'The set must not be in use. A start does the same by itself, but for the text notes.',
    )
    .argument('<spare...>', 'all spare devices or image files of the set')
    .addOption(new Option('--dry-run', 'print the plan, and end').default(false))
    .addOption(
      new Option(
        '--force',
        'accept what is there as the newest state, and a device without superblock as the missing spare',
      ).default(false),
    )
    .addOption(new Option('--yes', 'do not ask').default(false))
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action((spares: string[], options: Omit<RepairArguments, 'spares'>) => run({ spares, ...options }));
  helpLikeManual(command, {
    exitStatuses: ['done', 'declined', 'usage', 'device', 'refused', 'metadata', 'io', 'damaged'],
    examples: ['dmremap metadata repair /dev/sdY --dry-run', 'dmremap metadata repair /dev/sdY'],
  });
}
