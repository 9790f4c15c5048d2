import { type Command, Option } from 'commander';
import { type EnabledSet, enabledSets } from '../boot/enabled-sets.js';
import { FileTree } from '../boot/file-tree.js';
import { enablingLink, isServiceActive } from '../boot/service.js';
import { setPaths } from '../boot/set-files.js';
import { sharedFiles } from '../boot/shared-files.js';
import type { CliContext } from './cli-context.js';
import { EXIT_STATUS } from './exit-status.js';
import { resultOf } from './file-result.js';
import { helpLikeManual } from './help.js';
import { writeJson } from './output.js';
import { formatFields } from './table.js';

export interface BootShowArguments {
  readonly root: string;
  readonly json: boolean;
}

/** `dmremap boot show`: the sets that are prepared for boot. Reads only. */
export async function bootShow(args: BootShowArguments, context: CliContext): Promise<number> {
  const tree = resultOf(FileTree.below(args.root), 'device');
  const shared = sharedFiles(context.machine.paths);
  const sharedCurrent = shared.every(({ path, text }) => resultOf(tree.read(path)) === text);
  const sets = resultOf(enabledSets(tree)).map((set) => shown(set, sharedCurrent, tree, args, context));
  if (args.json) writeJson(context.out, { sets });
  else if (sets.length === 0)
    context.out.write('no set is prepared for boot; see dmremap boot enable --help\n');
  else context.out.write(sets.map((set) => textOf(set, context)).join('\n'));
  return EXIT_STATUS.done;
}

interface ShownSet extends EnabledSet {
  /** All files are there; those that all sets share are of this version and this installation. */
  readonly filesCurrent: boolean;
  readonly startsAtBoot: boolean;
  /** null where another root is looked at. */
  readonly running: boolean | null;
}

function shown(
  set: EnabledSet,
  sharedCurrent: boolean,
  tree: FileTree,
  { root }: BootShowArguments,
  { machine }: CliContext,
): ShownSet {
  const paths = Object.values(setPaths(set.name));
  const filesCurrent = sharedCurrent && paths.every((path) => resultOf(tree.read(path)) !== '');
  const startsAtBoot = resultOf(tree.isThere(enablingLink(set.name)));
  return {
    ...set,
    filesCurrent,
    startsAtBoot,
    running: root === '/' ? isServiceActive(machine, set.name) : null,
  };
}

function textOf(set: ShownSet, context: CliContext): string {
  const running = set.running === null ? [] : [set.running ? 'running' : 'not running'];
  const state = [set.startsAtBoot ? 'starts at boot' : 'not enabled in systemd', ...running].join(', ');
  const outdated: [string, string][] = set.filesCurrent
    ? []
    : [['files', 'missing, or of another version: run dmremap boot enable again']];
  return formatFields(
    [
      ['name', set.name],
      ['state', state],
      ['device', `/dev/dm-remap/${set.name}`],
      ['main', set.main],
      ...set.spares.map((spare): [string, string] => ['spare', spare]),
      ...(set.options.length === 0 ? [] : [['options', set.options.join(' ')] as const]),
      ...outdated,
    ],
    context.out.columns,
  );
}

export function addBootShowCommand(
  parent: Command,
  action: (args: BootShowArguments) => Promise<void>,
): void {
  const command = parent
    .command('show')
    .summary('list the sets that are prepared for boot')
    .description(
      'Lists the sets that "boot enable" has prepared: disks, options, whether systemd starts them.',
    )
    .option('--root <directory>', 'look below this directory instead of /', '/')
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action(({ root, json }: { root: string; json: boolean }) => action({ root, json }));
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage', 'device', 'system'],
    examples: ['dmremap boot show'],
  });
}
