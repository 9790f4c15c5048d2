import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { formatCount } from '../base/format-count.js';
import { commandLine } from '../base/shell-words.js';
import { type BootSet, type Member, nameProblem } from '../boot/boot-set.js';
import { FileTree } from '../boot/file-tree.js';
import { fstabLinesOnMain } from '../boot/fstab.js';
import { nameMember } from '../boot/name-member.js';
import { isServiceActive, serviceUnit } from '../boot/service.js';
import { type BootFile, setFiles } from '../boot/set-files.js';
import { sharedFiles } from '../boot/shared-files.js';
import { applyUdevRules } from '../boot/udev.js';
import { DmRemapError } from '../library/errors.js';
import type { InspectReport } from '../library/offline-types.js';
import type { CliContext } from './cli-context.js';
import { describePlace, loadConfiguration } from './configuration.js';
import { EXIT_STATUS } from './exit-status.js';
import { resultOf } from './file-result.js';
import { helpLikeManual } from './help.js';
import { refuseOtherMain } from './refuse-other-main.js';
import { repeated } from './repeated-option.js';
import { idAtBoot, nameAtBoot } from './set-traces.js';
import { refuseRelativePaths, understandRun } from './understand-run.js';

export interface BootEnableArguments {
  readonly name: string;
  /** Undefined, or no spares: as the configuration says. */
  readonly main: string | undefined;
  readonly spares: readonly string[];
  /** For `dmremap run`. */
  readonly options: readonly string[];
  readonly root: string;
  readonly dryRun: boolean;
  readonly force: boolean;
}

/** `dmremap boot enable`: writes the files that start one set at boot. The disks are only read. */
export async function bootEnable(given: BootEnableArguments, context: CliContext): Promise<number> {
  const problem = nameProblem(given.name);
  if (problem !== undefined) throw new DmRemapError('usage', problem);
  const args = await withDevices(given, context);
  await checkRunOptions(args.options);
  checkProgram(args, context);
  const set = nameMembers(args, setIdOf(await context.library.inspectSpares(args.spares)), context);
  if (!args.force) await refuseOtherMain({ ...args, setId: set.setId }, context);
  const files = [...sharedFiles(context.machine.paths), ...setFiles(set)];
  const tree = resultOf(FileTree.below(args.root), 'device');
  if (!args.force) refuseOtherBoot(set, tree);
  if (args.dryRun) return show(files, context);
  for (const file of files) context.out.write(`${resultOf(tree.write(file)).padEnd(9)}  ${file.path}\n`);
  adviseOnFstab(resultOf(tree.read('/etc/fstab')), set, args, context);
  context.out.write(`next: ${activate(set, args, context)}\n`);
  return EXIT_STATUS.done;
}

/** Files of another set would be written over; or this one would be started twice, by services that fight about it. */
function refuseOtherBoot({ name, setId }: BootSet, tree: FileTree): void {
  const there = idAtBoot(name, tree);
  const also = nameAtBoot(setId, tree);
  if (there !== undefined && there !== setId)
    throw refusal(`${name}: another set (${there}) starts under this name at boot`, name);
  if (also !== undefined && also !== name)
    throw refusal(`${name}: this set starts at boot already, as ${also}`, also);
}

function refusal(problem: string, name: string): DmRemapError {
  const advice = `first "dmremap boot disable ${name}", or write the files all the same with --force`;
  return new DmRemapError('refused', `${problem}; ${advice}`);
}

type WholeArguments = BootEnableArguments & { readonly main: string };

async function withDevices(args: BootEnableArguments, context: CliContext): Promise<WholeArguments> {
  const { name, root, main, spares } = args;
  if (main !== undefined && spares.length > 0) return { ...args, main };
  const place = { file: undefined, directory: join(root, context.configurationDirectory) };
  const set = (await loadConfiguration(place)).sets.get(name);
  if (set === undefined)
    throw new DmRemapError(
      'usage',
      `${name}: is no set in ${describePlace(place)}; describe it there, or give --main and --spare`,
    );
  return { ...args, main: main ?? set.main, spares: spares.length > 0 ? spares : set.spares };
}

/** What a person has to do for the files to take effect. */
function activate(set: BootSet, { root }: WholeArguments, { machine, err }: CliContext): string {
  const service = serviceUnit(set.name);
  if (root !== '/') return commandLine(['systemctl', `--root=${root}`, 'enable', service]);
  if (isServiceActive(machine, set.name)) return `systemctl daemon-reload && systemctl restart ${service}`;
  const problem = applyUdevRules(machine, [set.main, ...set.spares]);
  if (problem !== undefined) err.write(`dmremap: warning: ${problem}\n`);
  return `systemctl enable --now ${service}`;
}

function show(files: readonly BootFile[], context: CliContext): number {
  for (const { path, text } of files) context.out.write(`==> ${path}\n${text}\n`);
  return EXIT_STATUS.done;
}

/** At the boot there would be nobody to read about a wrong option. */
async function checkRunOptions(options: readonly string[]): Promise<void> {
  const broken = options.find((option) => option === '' || /[\s"'\\$%]/.test(option));
  if (broken !== undefined) {
    throw new DmRemapError(
      'usage',
      `option "${broken}": blanks, quotes, \\, $ and % don't survive systemd's reading`,
    );
  }
  refuseRelativePaths(await understandRun(['--main', '/main', '--spare', '/spare', '--ublk', ...options]));
}

/** The daemon starts before other file systems than the root are mounted. */
function checkProgram({ force }: BootEnableArguments, { machine }: CliContext): void {
  if (force) return;
  for (const path of [machine.paths.node, machine.paths.program]) {
    if (machine.isOnRootFileSystem(path)) continue;
    const advice = 'move it to the file system of / or /usr, or say --force';
    throw new DmRemapError(
      'refused',
      `${path} is on a file system that is not mounted yet at that time; ${advice}`,
    );
  }
}

function setIdOf({ setId, spares }: InspectReport): string {
  const missing = spares.filter(({ path }) => path === null).length;
  if (missing === 0) return setId;
  const counts = `${formatCount(spares.length, 'spare')}, ${missing} of them not given`;
  throw new DmRemapError('usage', `the set has ${counts}; name all of them`);
}

function nameMembers(args: WholeArguments, setId: string, context: CliContext): BootSet {
  const named = (given: string): Member => {
    const { member, note } = resultOf(nameMember(given, context.machine, args.force), 'refused');
    if (note !== undefined) context.err.write(`dmremap: note: ${note}\n`);
    return member;
  };
  return {
    name: args.name,
    setId,
    main: named(args.main),
    spares: args.spares.map(named),
    options: args.options,
  };
}

/** UUID= and LABEL= need no change: udev gives these links to the protected device alone. */
function adviseOnFstab(fstab: string, set: BootSet, args: WholeArguments, context: CliContext): void {
  for (const { lineNumber, source, partition } of fstabLinesOnMain(fstab, args.main, set.main)) {
    const instead = `/dev/dm-remap/${set.name}${partition}`;
    context.err.write(
      `dmremap: warning: /etc/fstab line ${lineNumber} mounts ${source} itself; make it ${instead}\n`,
    );
  }
}

export function addBootEnableCommand(
  parent: Command,
  action: (args: BootEnableArguments) => Promise<void>,
): void {
  const command = parent
    .command('enable')
    .summary('have a set started at boot')
    .description(
      'Writes /etc/dm-remap/NAME.env, the systemd unit dm-remap@.service with what this set adds to it, and udev rules ' +
        'that name the block device /dev/dm-remap/NAME and keep other programs off the disks of the set. Prints each ' +
        'file, and the command that starts the set now and at every boot. Again with other arguments: the files are ' +
        'written anew.\n\n' +
        'Disks are written down under names that stay the same, from /dev/disk/by-id where there is one. A disk ' +
        'without such a name is refused, unless --force, and so is a main device that is not the recorded one. The disks must ' +
        'be formatted; they are not written.',
    )
    .usage('NAME [--main PATH --spare PATH...] [options] [-- RUN-OPTION...]')
    .argument('<name>', 'of the device in /dev/dm-remap, and of the service')
    .argument('[run-option...]', 'after --: more options for dmremap run')
    .option('--main <path>', 'the protected disk; by itself as the configuration says, like the spares')
    .option('--spare <path>', 'a spare of its set; repeat for all of them', repeated, [])
    .option('--root <directory>', 'write below this directory instead of /; udev is not told then', '/')
    .addOption(new Option('--dry-run', 'print the files instead of writing them').default(false))
    .addOption(
      new Option(
        '--force',
        'take disks without a stable name, a main device that is not the recorded one, and a program outside the root file system',
      ).default(false),
    )
    .action((name: string, options: string[], { main, spare: spares, root, dryRun, force }: CommandOptions) =>
      action({ name, main, spares, options, root, dryRun, force }),
    );
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage', 'device', 'refused', 'metadata', 'system'],
    examples: [
      'dmremap boot enable attic',
      'dmremap boot enable attic --main /dev/sdX --spare /dev/sdY1',
      'dmremap boot enable attic --main /dev/sdX --spare /dev/sdY1 -- --queues 2',
    ],
  });
}

interface CommandOptions {
  readonly main?: string;
  readonly spare: string[];
  readonly root: string;
  readonly dryRun: boolean;
  readonly force: boolean;
}
