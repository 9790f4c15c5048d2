import { dirname } from 'node:path';
import { type Command, Option } from 'commander';
import { type EnabledSet, enabledSets } from '../boot/enabled-sets.js';
import { FileTree } from '../boot/file-tree.js';
import { nameMember } from '../boot/name-member.js';
import { enablingLink, isServiceActive, serviceUnit } from '../boot/service.js';
import { CONFIGURATION_DIRECTORY, setPaths } from '../boot/set-files.js';
import { SHARED_PATHS } from '../boot/shared-files.js';
import { applyUdevRules } from '../boot/udev.js';
import { DmRemapError } from '../library/errors.js';
import type { CliContext } from './cli-context.js';
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
  for (const file of disableAtBoot(args, context)) context.out.write(fileLine(file));
  return EXIT_STATUS.done;
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
    (path): FileOutcome => ({ path, outcome: args.dryRun ? 'would go' : resultOf(tree.remove(path)) }),
  );
  if (args.dryRun) return files;
  for (const directory of [dirname(setPaths(args.name).dropIn), CONFIGURATION_DIRECTORY])
    resultOf(tree.removeEmptyDirectory(directory));
  if (isLive && set !== undefined) releaseDisks(set, context);
  return files;
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
        'Nothing on the disks changes: dmremap run works as before. The service must be stopped.',
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
