import { type Command, Option } from 'commander';
import { formatCount } from '../base/format-count.js';
import { DmRemapError } from '../library/errors.js';
import type { ReplaceMainPlan } from '../library/replace-main.js';
import type { CliContext } from './cli-context.js';
import { askConsent, declined } from './consent.js';
import { mainAdvice } from './evacuate-text.js';
import { EXIT_STATUS } from './exit-status.js';
import { followAtBoot } from './follow-at-boot.js';
import { helpLikeManual } from './help.js';
import { writeJson } from './output.js';
import { repeated } from './repeated-option.js';
import { formatSize } from './sizes.js';
import { formatFields } from './table.js';

export interface ReplaceMainArguments {
  readonly device: string;
  readonly spares: readonly string[];
  readonly force: boolean;
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly json: boolean;
}

/** `dmremap replace-main`: a copy of the main device, made by another program, becomes the main device. */
export async function replaceMain(args: ReplaceMainArguments, context: CliContext): Promise<number> {
  const { device, spares, force, dryRun, yes, json } = args;
  if (spares.length === 0) throw new DmRemapError('usage', 'which set? give every --spare of it');
  const options = { device, spares, force, remaps: 'all' } as const;
  const plan = await context.library.planReplaceMain(options);
  const out = dryRun && !json ? context.out : context.err;
  if (dryRun || !yes) out.write(planText(plan, out.columns));
  if (dryRun) {
    if (json) writeJson(context.out, { written: false, ...plan });
    return EXIT_STATUS.done;
  }
  if (!yes && !(await askConsent(context))) return declined(context, json);
  const done = await context.library.replaceMain(options, plan);
  const atBoot = followAtBoot({ setId: done.setId, main: device, spares }, context);
  if (json) writeJson(context.out, { written: true, ...done });
  else
    context.out.write(
      `${done.device.path} is the main device of the set now\n${atBoot ?? mainAdvice(device)}\n`,
    );
  return EXIT_STATUS.done;
}

function planText(plan: ReplaceMainPlan, columns: number): string {
  const { name, setId, before, device, comparedBlocks, differingBlocks, remappedUnits } = plan;
  const differ = differingBlocks === 0 ? 'all alike' : `${differingBlocks} DIFFER`;
  const compared =
    comparedBlocks === 0 ? 'can not be compared' : `${comparedBlocks} blocks compared, ${differ}`;
  return formatFields(
    [
      ['set', name === '' ? setId : `${name} (${setId})`],
      ['until now', diskText(before)],
      ['from now on', `${device.path}, ${diskText(device)}`],
      ['contents', compared],
      ['spares', `${formatCount(remappedUnits, 'unit')} of it live on them, as before`],
    ],
    columns,
  );
}

function diskText({ sizeBytes, model, serial }: ReplaceMainPlan['before']): string {
  const identity = [model, serial === '' ? '' : `serial ${serial}`];
  return [formatSize(sizeBytes), ...identity.filter((part) => part !== '')].join(', ');
}

export function addReplaceMainCommand(
  program: Command,
  action: (args: ReplaceMainArguments) => Promise<void>,
): void {
  const command = program
    .command('replace-main')
    .summary('use a copy of the main device that was made without dm-remap')
    .description(
      'For a disk onto which the main device was copied while the set was stopped, with ddrescue or another program. ' +
        'Compares its size and some of its contents with what is recorded of the old one, and makes it the main device. ' +
        'What was moved stays on the spares. A power cut leaves the set with the old disk or the new one.\n\n' +
        'A block that the copy lacks, because it could not be read, reads as what the copying program has left there: it is ' +
        'not known to be lost. "dmremap evacuate" copies a set at work, and knows.',
    )
    .argument('<new-disk>', 'block device or image file that holds the copy')
    .option('--spare <path>', 'a spare of the set; repeat for all', repeated, [])
    .addOption(new Option('--force', 'although the contents differ, or can not be compared').default(false))
    .addOption(new Option('--dry-run', 'show what would be done, and end').default(false))
    .addOption(new Option('--yes', 'do not ask').default(false))
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action((device: string, { spare: spares, ...rest }: CommandOptions) =>
      action({ device, spares, ...rest }),
    );
  helpLikeManual(command, {
    exitStatuses: ['done', 'declined', 'usage', 'device', 'refused', 'metadata', 'io', 'system'],
    examples: ['dmremap replace-main /dev/disk/by-id/ata-NEW --spare /dev/sdY'],
  });
}

interface CommandOptions {
  readonly spare: string[];
  readonly force: boolean;
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly json: boolean;
}
