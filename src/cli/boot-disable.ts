import { dirname, join } from 'node:path';
import { type Command, Option } from 'commander';
import { nameProblem } from '../boot/boot-set.js';
import { type EnabledSet, enabledSets } from '../boot/enabled-sets.js';
import { FileTree } from '../boot/file-tree.js';
import { nameMember } from '../boot/name-member.js';
import { enablingLink, isServiceActive, serviceUnit } from '../boot/service.js';
import { CONFIGURATION_DIRECTORY, setPaths } from '../boot/set-files.js';
import { SHARED_PATHS } from '../boot/shared-files.js';
import { applyUdevRules } from '../boot/udev.js';
import { DmRemapError } from '../library/errors.js';
import type { CliContext } from './cli-context.js';
import { loadConfiguration } from './configuration.js';
import { EXIT_STATUS } from './exit-status.js';
import { type FileOutcome, fileLine, resultOf } from './file-result.js';
import { helpLikeManual } from './help.js';

export interface BootDisableArguments {
  readonly name: string;
  readonly root: string;
  readonly dryRun: boolean;
}

/** `dmremap boot disable`: removes what `boot enable` wrote. The set itself stays as it is. */
export async function bootDisable(args: BootDisableArguments, context: CliContext): Promise<number> {
  const problem = nameProblem(args.name);
  if (problem !== undefined) throw new DmRemapError('usage', problem);
  const tree = resultOf(FileTree.below(args.root), 'device');
  const isPrepared = pathsOf(args.name).some((path) => resultOf(tree.isThere(path)));
  if (!isPrepared) return tellUnprepared(args, context);
  for (const file of disableAtBoot(args, context)) context.out.write(fileLine(file));
  return EXIT_STATUS.done;
}

/** Of a set that is known otherwise this is what was wanted; any other name is taken for a slip of the pen. */
async function tellUnprepared(args: BootDisableArguments, context: CliContext): Promise<number> {
  const { name } = args;
  if (!(await isKnownOtherwise(args, context)))
    throw new DmRemapError(
      'device',
      `${name}: no set of this name is prepared for boot, configured or served; "dmremap boot show" lists those that are prepared`,
    );
  context.out.write(`${name} is not prepared for boot: nothing to remove\n`);
  return EXIT_STATUS.done;
}

async function isKnownOtherwise(
  { name, root }: BootDisableArguments,
  { configurationDirectory, running }: CliContext,
): Promise<boolean> {
  const place = { file: undefined, directory: join(root, configurationDirectory) };
  if ((await loadConfiguration(place)).sets.has(name)) return true;
  return root === '/' && (await running.all()).some(({ device }) => device.name === name);
}

/** Refused, with nothing done, while its service is active. */
export function disableAtBoot(args: BootDisableArguments, context: CliContext): FileOutcome[] {
  const isLive = args.root === '/' && !args.dryRun;
  if (isLive) refuseActiveService(args.name, context);
  const tree = resultOf(FileTree.below(args.root), 'device');
  const sets = resultOf(enabledSets(tree));
  const set = sets.find(({ name }) => name === args.name);
  const isLast = sets.every(({ name }) => name === args.name);
  const files = [...pathsOf(args.name), ...(isLast ? SHARED_PATHS : [])].map(
    (path): FileOutcome => ({
      path,
      outcome: args.dryRun ? wouldBe(path, tree) : resultOf(tree.remove(path)),
    }),
  );
  if (args.dryRun) return files;
  for (const directory of [dirname(setPaths(args.name).dropIn), CONFIGURATION_DIRECTORY])
    resultOf(tree.removeEmptyDirectory(directory));
  if (isLive && set !== undefined) releaseDisks(set, context);
  return files;
}

function wouldBe(path: string, tree: FileTree): FileOutcome['outcome'] {
  return resultOf(tree.isThere(path)) ? 'would go' : 'absent';
}

export function refuseActiveService(name: string, { machine }: Pick<CliContext, 'machine'>): void {
  if (!isServiceActive(machine, name)) return;
  const first = `systemctl disable --now ${serviceUnit(name)}`;
  throw new DmRemapError('refused', `${name} is running; unmount what is on it, then: ${first}`);
}

function pathsOf(name: string): string[] {
  const { environment, dropIn, rules } = setPaths(name);
  return [environment, dropIn, rules, enablingLink(name)];
}

/** The links that follow from their contents come back. A disk that is not there now gets them when it comes. */
function releaseDisks({ main, spares }: EnabledSet, { machine, err }: CliContext): void {
  const named = [main, ...spares].map((path) => nameMember(path, machine, true));
  const members = named.flatMap((one) => (one.ok ? [one.value.member] : []));
  const problem = applyUdevRules(machine, members);
  if (problem !== undefined) err.write(`dmremap: warning: ${problem}\n`);
}

export function addBootDisableCommand(
  parent: Command,
  action: (args: BootDisableArguments) => Promise<void>,
): void {
  const command = parent
    .command('disable')
    .summary('have a set no longer started at boot')
    .description(
      'Removes the files that "boot enable" wrote for this set, and, with the last set, those that all sets share. ' +
        'Nothing on the disks changes: dmremap run works as before. The service must be stopped. A set that is served, or in ' +
        'the configuration, and was not prepared is no failure; a name that nothing here knows is one.',
    )
    .argument('<name>', 'as it was enabled')
    .option('--root <directory>', 'work below this directory instead of /; udev is not told then', '/')
    .addOption(new Option('--dry-run', 'print the files instead of removing them').default(false))
    .action((name: string, { root, dryRun }: { root: string; dryRun: boolean }) =>
      action({ name, root, dryRun }),
    );
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage', 'device', 'refused', 'system'],
    examples: ['systemctl disable --now dm-remap@attic', 'dmremap boot disable attic'],
  });
}
