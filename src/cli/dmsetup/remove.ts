import { type Command, Option } from 'commander';
import { labelOf } from '../../control/client/pick-set.js';
import type { RunningSet } from '../../control/client/running-sets.js';
import { DmRemapError } from '../../library/errors.js';
import type { AnswerOf } from '../answer-schemas.js';
import type { CliContext } from '../cli-context.js';
import { endServedSet, refuseInUse } from '../end-served-set.js';
import { EXIT_STATUS } from '../exit-status.js';
import { helpLikeManual } from '../help.js';
import { writeAnswer } from '../output.js';
import { errorDocument, reportError } from '../report-error.js';
import { statusOfLook } from '../status-of-look.js';

export interface RemoveArguments {
  /** Empty only with `all`. */
  readonly sets: readonly string[];
  readonly all: boolean;
  readonly force: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** `dmremap remove`: ends the processes that serve sets, in order. What was moved stays on the spares. */
export async function remove(args: RemoveArguments, context: CliContext): Promise<number> {
  if (args.all === args.sets.length > 0)
    throw new DmRemapError('usage', 'say which set to remove: a name, or --all alone');
  const { running } = context;
  const found = args.all ? await running.all() : await Promise.all(args.sets.map((one) => running.one(one)));
  // One that was named twice goes once.
  const sets = new Map(found.map((set) => [set.device.processId, set]));
  const removals: Removal[] = [];
  for (const set of sets.values()) removals.push(await removeOne(set, args, context));
  const failure = firstOf(removals);
  if (!args.json) {
    if (args.dryRun) for (const removal of removals) context.out.write(wouldText(removal));
    if (failure !== undefined) throw failure;
    return statusOfRemoval(args, context);
  }
  // One document tells of all, those that are gone and why others are not.
  if (failure !== undefined) reportError(failure, context.err, false);
  writeAnswer<RemoveAnswer>(context.out, {
    written: !args.dryRun,
    sets: removals.map(({ error, ...removal }) => ({ ...removal, problem: error?.message ?? null })),
    ...(failure === undefined ? {} : { error: errorDocument(failure) }),
  });
  return failure === undefined ? statusOfRemoval(args, context) : EXIT_STATUS[failure.failure];
}

/** Where nothing failed: --all means those too that could not be asked. */
function statusOfRemoval({ all }: RemoveArguments, context: CliContext): number {
  return all ? statusOfLook(context) : EXIT_STATUS.done;
}

type RemoveAnswer = AnswerOf<'remove'>;

/** What became of one set. */
interface Removal extends Omit<RemoveAnswer['sets'][number], 'problem'> {
  readonly error: DmRemapError | undefined;
}

async function removeOne(
  set: RunningSet,
  { force, dryRun }: RemoveArguments,
  context: CliContext,
): Promise<Removal> {
  const { setId, name, processId } = set.device;
  try {
    if (dryRun) await refuseInUse(set, force, context);
    const problem = dryRun ? undefined : await endServedSet(set, force, context);
    return { setId, name, processId, outcome: dryRun ? 'wouldGo' : 'removed', error: problem };
  } catch (error) {
    if (!(error instanceof DmRemapError)) throw error;
    return { setId, name, processId, outcome: 'stays', error };
  }
}

/** The class of the first failure, and what all of them say. */
function firstOf(removals: readonly Removal[]): DmRemapError | undefined {
  const failures = removals.flatMap(({ error }) => error ?? []);
  const [first] = failures;
  if (first === undefined) return undefined;
  return new DmRemapError(first.failure, failures.map(({ message }) => message).join('; '));
}

function wouldText({ processId, error, ...set }: Removal): string {
  if (error !== undefined) return `${labelOf(set)}: would stay\n`;
  return `${labelOf(set)}: process ${processId} would end, and what was moved stays on the spares\n`;
}

export function addRemoveCommand(program: Command, run: (args: RemoveArguments) => Promise<void>): void {
  const command = program
    .command('remove')
    .summary('take sets away, as "dmsetup remove"')
    .description(
      'Ends the processes that serve the sets, in order, and waits until they are gone. What was moved stays on the ' +
        'spares: "dmremap create" or "dmremap run" open the set again. Refused while a set is in use. With --all sets ' +
        'that are in use stay, and the others are removed all the same.\n\n' +
        'With --dry-run nothing is ended; the exit status is the one that the command would have now.',
    )
    .argument('[set...]', 'name, set id, block device, main device or spare')
    .addOption(new Option('--all', 'all that are served').default(false))
    .addOption(new Option('-f, --force', 'although it is in use: those who use it get errors').default(false))
    .addOption(new Option('--dry-run', 'say what would be removed, and end').default(false))
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action((sets: string[], options: Omit<RemoveArguments, 'sets'>) => run({ sets, ...options }));
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage', 'device', 'refused', 'io', 'system'],
    examples: ['dmremap remove attic', 'dmremap remove --all --dry-run', 'dmremap remove --all'],
  });
}
