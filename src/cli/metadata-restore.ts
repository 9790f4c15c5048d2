import { type Command, Option } from 'commander';
import { formatCount } from '../base/format-count.js';
import type { RestorePlan } from '../library/metadata-types.js';
import type { CliContext } from './cli-context.js';
import { askConsent, declined } from './consent.js';
import { readDumpFile } from './dump-file.js';
import { EXIT_STATUS } from './exit-status.js';
import { helpLikeManual } from './help.js';
import { coloured, type Output, writeJson } from './output.js';
import { formatFields } from './table.js';
import { withProgress } from './transfer-progress.js';

export interface RestoreArguments {
  readonly file: string;
  readonly spares: readonly string[];
  readonly dryRun: boolean;
  readonly force: boolean;
  readonly yes: boolean;
  readonly json: boolean;
}

/** `dmremap metadata restore`: checks a dump, shows what would change, asks, writes, and reads it back. */
export async function restoreMetadata(args: RestoreArguments, context: CliContext): Promise<number> {
  const { file: fileName, spares, dryRun, force, yes, json } = args;
  const options = { fileName, text: readDumpFile(fileName), spares, force };
  const { library, err } = context;
  const plan = await withProgress(err, (watch) => library.planMetadataRestore({ ...options, ...watch }));
  if (dryRun) {
    if (json) writeJson(context.out, jsonOf(plan, false));
    else context.out.write(planText(plan, context.out));
    return EXIT_STATUS.done;
  }
  if (!yes) {
    context.err.write(planText(plan, context.err));
    if (!(await askConsent(context))) return declined(context, json);
  }
  const agreed = { ...options, planId: plan.planId };
  const written = await withProgress(err, (watch) => library.restoreMetadata({ ...agreed, ...watch }));
  if (json) writeJson(context.out, jsonOf(written, true));
  else
    context.out.write(
      `restored ${written.setId} from ${fileName}: ${unitsText(plan)}; read back and compared\n`,
    );
  return EXIT_STATUS.done;
}

function jsonOf({ planId: _, ...rest }: RestorePlan, isWritten: boolean): Readonly<Record<string, unknown>> {
  return { written: isWritten, ...rest };
}

function planText(plan: RestorePlan, output: Output): string {
  const { changes } = plan;
  const how =
    plan.mode === 'inPlace'
      ? 'in one step: if the power fails meanwhile, the old map is there whole, or the new one'
      : 'from nothing: until that is done there is no set on the spares; if it is interrupted, restore again';
  const difference =
    changes === null
      ? 'there is no map that can be read now'
      : `${changes.added} added, ${changes.removed} removed, ${changes.changed} changed`;
  return formatFields(
    [
      ['set', plan.name === '' ? plan.setId : `${plan.name} (${plan.setId})`],
      ...plan.spares.map(({ index, path, knownBy }): [string, string] => [
        `spare ${index}`,
        `${path}: ${coloured(output, 'red', 'ITS METADATA WILL BE OVERWRITTEN')}; ${PROOFS[knownBy]}`,
      ]),
      ['map', unitsText(plan)],
      ['changes', difference],
      ...plan.fields.map(({ field, before, after }): [string, string] => [
        'besides',
        `${field} becomes "${after}"; it is "${before}" now`,
      ]),
      ['written', how],
    ],
    output.columns,
  );
}

function unitsText({ remaps, retired }: RestorePlan): string {
  return `${formatCount(remaps, 'unit')} moved, ${formatCount(retired, 'unit')} retired`;
}

const PROOFS: Readonly<Record<RestorePlan['spares'][number]['knownBy'], string>> = {
  superblock: 'known by its superblock',
  note: 'known by its text note',
  position: 'NOTHING ON IT SAYS THAT IT IS THIS SPARE (--force)',
};

export function addRestoreCommand(program: Command, run: (args: RestoreArguments) => Promise<void>): void {
  const command = program
    .command('restore')
    .summary('write the metadata that a dump or an archived text says')
    .description(
      'Makes the metadata of the spares what the text says: one from "dmremap metadata dump", edited or not, or from ' +
        'the archive of "dmremap run". All of it is checked first; mistakes are told with their lines. Shows what ' +
        'would change and asks for YES; afterwards everything is read back and compared. Data on the spares is not ' +
        'touched: what the text calls moved is taken from there, whatever it is.\n\n' +
        'The set must not be in use. Units that moved after the text was written are forgotten, which means old data ' +
        'in them: take the newest text there is.',
    )
    .argument('<file>', 'the text')
    .argument('<spare...>', 'all spare devices or image files of the set')
    .addOption(new Option('--dry-run', 'print what would change, and end').default(false))
    .addOption(
      new Option(
        '--force',
        'overwrite spares that hold something else, or can not prove that they are the ones',
      ).default(false),
    )
    .addOption(new Option('--yes', 'do not ask').default(false))
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action((file: string, spares: string[], options: Omit<RestoreArguments, 'file' | 'spares'>) =>
      run({ file, spares, ...options }),
    );
  helpLikeManual(command, {
    exitStatuses: ['done', 'declined', 'usage', 'device', 'refused', 'metadata', 'io'],
    examples: ['dmremap metadata restore set.txt /dev/sdY'],
  });
}
