import { type Command, Option } from 'commander';
import { formatCount } from '../base/format-count.js';
import { commandLine } from '../base/shell-words.js';
import type { HandReport } from '../library/device-types.js';
import { DmRemapError } from '../library/errors.js';
import type { AnswerOf } from './answer-schemas.js';
import type { CliContext } from './cli-context.js';
import { EXIT_STATUS } from './exit-status.js';
import { helpLikeManual } from './help.js';
import { writeAnswer } from './output.js';
import { repeated } from './repeated-option.js';
import { openedSet, type SetToLeave, servedSet } from './set-to-leave.js';
import { forgetSet } from './set-traces.js';
import { START_OVER } from './start-over.js';
import { interruption } from './unless-interrupted.js';

export interface LeaveArguments {
  /** One that is served; else `main` and `spares` are those of one that is not. */
  readonly set: string | undefined;
  readonly main: string | undefined;
  readonly spares: readonly string[];
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** `dmremap leave`: brings everything back to the main device, which can then be used without dm-remap. */
export async function leave(args: LeaveArguments, context: CliContext): Promise<number> {
  const set = await setOf(args, context);
  if (args.dryRun) return await show(set, args, context);
  const returned = await returnAll(set, context).catch(async (error: unknown) => {
    // That it could not be closed in order either comes of the same.
    await closeAgain(set, args).catch(() => undefined);
    throw error;
  });
  if (returned.isInterrupted) return tellInterrupted(set, returned, args, context);
  const { returnedUnits } = returned;
  await set.stop();
  await checkGone(set, context);
  // What a program reads is one document.
  await forgetSet(set.setId, args.json ? { ...context, out: context.err } : context);
  if (args.json)
    writeAnswer<AnswerOf<'leave'>>(context.out, { setId: set.setId, main: set.main, returnedUnits });
  else context.out.write(resultText(set, returnedUnits));
  return EXIT_STATUS.done;
}

async function setOf({ set, main, spares }: LeaveArguments, context: CliContext): Promise<SetToLeave> {
  if (set !== undefined && main === undefined && spares.length === 0) return servedSet(set, context);
  if (set === undefined && main !== undefined && spares.length > 0) return openedSet(main, spares, context);
  throw new DmRemapError(
    'usage',
    'which set? give its name where it is served, or --main and every --spare where it is not',
  );
}

async function show(set: SetToLeave, args: LeaveArguments, context: CliContext): Promise<number> {
  const movedUnits = (await set.remaps()).length;
  await closeAgain(set, args);
  if (args.json)
    writeAnswer<AnswerOf<'leave'>>(context.out, {
      setId: set.setId,
      main: set.main,
      movedUnits,
      written: false,
    });
  else
    context.out.write(
      `${formatCount(movedUnits, 'unit')} would be brought back to ${set.main}, where that takes and gives their data\n`,
    );
  return EXIT_STATUS.done;
}

/** What this command has opened itself. */
async function closeAgain(set: SetToLeave, args: LeaveArguments): Promise<void> {
  if (args.set === undefined) await set.stop();
}

interface Returned {
  readonly returnedUnits: number;
  /** By a signal: others may be on the spares still. */
  readonly isInterrupted: boolean;
}

/** What came back is on the main device, the rest is where it was. */
async function tellInterrupted(
  set: SetToLeave,
  { returnedUnits }: Returned,
  args: LeaveArguments,
  context: CliContext,
): Promise<number> {
  await closeAgain(set, args);
  const units = `${formatCount(returnedUnits, 'unit')} came back, the others stay on the spares`;
  context.err.write(`dmremap: ${set.label}: ${units}; call the command again to go on\n`);
  if (args.json) {
    const { setId, main } = set;
    writeAnswer<AnswerOf<'leave'>>(context.out, { setId, main, returnedUnits, interrupted: true });
  }
  return EXIT_STATUS.interrupted;
}

/** Units that move meanwhile are brought back as well. */
async function returnAll(set: SetToLeave, { err: output, stopSignals }: CliContext): Promise<Returned> {
  let returnedUnits = 0;
  let isInterrupted = false;
  void interruption(stopSignals).then(() => {
    isInterrupted = true;
  });
  for (;;) {
    const ranges = await set.remaps();
    if (ranges.length === 0) return { returnedUnits, isInterrupted: false };
    const refusals: HandReport['refusals'][number][] = [];
    for (const [index, range] of ranges.entries()) {
      const report = await set.giveBack(range);
      returnedUnits += report.doneCount;
      refusals.push(...report.refusals);
      if (isInterrupted) break;
      if (output.isTerminal) output.write(`${START_OVER}${index + 1} of ${ranges.length} units`);
    }
    if (output.isTerminal) output.write(START_OVER);
    if (isInterrupted) return { returnedUnits, isInterrupted };
    if (refusals.length === 0) continue;
    const first = refusals.reduce((one, other) => (other.mainSector < one.mainSector ? other : one));
    const units = formatCount(refusals.length, 'unit stays', 'units stay');
    throw new DmRemapError(
      'io',
      `${set.label}: ${units} on the spares, sectors from ${first.mainSector}: ${first.reason}; nothing is forgotten. ${ALTERNATIVES}`,
    );
  }
}

/** A sector, or the whole disk, may have failed until the last moment. */
async function checkGone({ label, main, spares }: SetToLeave, { library }: CliContext): Promise<void> {
  const { remaps, cleanShutdown } = await library.inspectSpares(spares);
  if (remaps.length > 0)
    throw new DmRemapError(
      'io',
      `${label}: ${formatCount(remaps.length, 'unit')} moved to the spares before it was stopped; nothing is forgotten. ${ALTERNATIVES}`,
    );
  if (!cleanShutdown)
    throw new DmRemapError(
      'io',
      `${label}: nothing lives on the spares, but it was not stopped cleanly: ${main} may lack what was written last; nothing is forgotten. Look at the log of the process and at the disk, run the set again, then call this again`,
    );
}

function resultText({ main, spares, label }: SetToLeave, returnedUnits: number): string {
  const units =
    returnedUnits === 0 ? 'nothing had to come back' : `${formatCount(returnedUnits, 'unit')} came back`;
  return (
    `${label} is not protected any more: ${units}, and everything lives on ${main}, to be used by itself from now on\n` +
    `${spares.join(', ')}: holds nothing of use, and may be used for something else; its metadata is erased by: ${wipeCommand(spares)}\n`
  );
}

function wipeCommand([first, ...others]: readonly string[]): string {
  const devices = others.flatMap((path) => ['--device', path]);
  return commandLine(['dmremap', 'forget', first!, '--wipe', ...devices]);
}

const ALTERNATIVES =
  '"dmremap evacuate" moves the set to another disk, "dmremap export --dm-table" prints the map for dmsetup';

export function addLeaveCommand(program: Command, action: (args: LeaveArguments) => Promise<void>): void {
  const command = program
    .command('leave')
    .summary('bring everything back to the main device, and protect it no more')
    .description(
      'For a main device that is well: writes every moved unit back to it, flushes, reads and compares, as "remap release" ' +
        'does. When all of them are back, the process that serves the set is stopped, and what this machine remembers of the ' +
        'set is removed. Then the disk can be used by itself. If one unit does not come back, the others are, nothing is ' +
        'stopped and nothing is forgotten. Ctrl-C leaves the others on the spares; called again, the command goes on.\n\n' +
        'A set whose block device is mounted, or that has NBD clients, is not stopped: end that, and call this again.',
    )
    .argument('[set]', 'name, set id, block device, main device or spare of a set at work')
    .option('--main <path>', 'main device of a set that is not at work')
    .option('--spare <path>', 'a spare of it; repeat for all', repeated, [])
    .addOption(new Option('--dry-run', 'say what would come back, and end').default(false))
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action((set: string | undefined, { spare: spares, main, ...rest }: CommandOptions) =>
      action({ set, main, spares, ...rest }),
    );
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage', 'device', 'refused', 'metadata', 'io', 'system', 'interrupted'],
    examples: ['umount /mnt && dmremap leave attic', 'dmremap leave --main disk.img --spare spare.img'],
  });
}

interface CommandOptions {
  readonly main?: string;
  readonly spare: string[];
  readonly dryRun: boolean;
  readonly json: boolean;
}
