import { type Command, Option } from 'commander';
import { formatCount } from '../base/format-count.js';
import { describeIdentity } from '../library/describe-device.js';
import type { ScannedSet, ScanReport } from '../library/scan-types.js';
import type { AnswerOf } from './answer-schemas.js';
import type { CliContext } from './cli-context.js';
import { EXIT_STATUS } from './exit-status.js';
import { helpLikeManual } from './help.js';
import { type Colour, coloured, writeAnswer } from './output.js';
import { type ScanVerdict, servedDevicesOf, verdictOn } from './scan-verdict.js';
import { formatSize } from './sizes.js';
import { formatFields } from './table.js';
import { formatTime } from './time.js';

export interface ScanArguments {
  /** Empty: all block devices. */
  readonly paths: readonly string[];
  readonly json: boolean;
}

/** `dmremap scan`: the sets that are on devices, whole or not, and what to do next. Reads only. */
export async function scan(args: ScanArguments, context: CliContext): Promise<number> {
  const running = await context.running.all();
  const report = await context.library.scanSets({
    paths: args.paths.length === 0 ? undefined : args.paths,
    served: servedDevicesOf(running),
  });
  if (args.json) {
    const sets = report.sets.map((set) => ({ ...verdictOn(set, args.paths), ...set }));
    writeAnswer<AnswerOf<'scan'>>(context.out, {
      sets,
      doubtful: report.doubtful,
      unreadable: report.unreadable,
    });
  } else showText(report, args.paths, context);
  return EXIT_STATUS.done;
}

function showText(report: ScanReport, lookedAt: readonly string[], context: CliContext): void {
  const texts = report.sets.map((set) => setText(set, verdictOn(set, lookedAt), context));
  context.out.write(texts.join('\n'));
  for (const { path, reason } of report.doubtful) context.out.write(`${path}: ${reason}\n`);
  if (texts.length === 0 && report.doubtful.length === 0)
    context.err.write('dmremap: no metadata of dm-remap was found\n');
  const [first] = report.unreadable;
  if (first === undefined) return;
  const count = formatCount(report.unreadable.length, 'device');
  context.err.write(`dmremap: warning: ${count} could not be looked at, the first: ${first.reason}\n`);
}

function setText(set: ScannedSet, { state, next }: ScanVerdict, { out }: CliContext): string {
  const { name, setId, problems, spares } = set;
  return formatFields(
    [
      ['set', name === '' ? setId : `${name} (${setId})`],
      ['state', coloured(out, COLOUR[state], state.toUpperCase())],
      ...problems.map(({ blocks, message }): [string, string] => [blocks ? 'problem' : 'note', message]),
      ['next', next],
      ['main', mainText(set)],
      ...spares.map((spare): [string, string] => [
        `spare ${spare.index}`,
        memberText(spare.path, spare.sizeBytes, spare),
      ]),
      ['updated', `${formatTime(set.updatedSeconds)}${set.cleanShutdown ? ', stopped cleanly' : ''}`],
    ],
    out.columns,
  );
}

function mainText({ main }: ScannedSet): string {
  const proof = main.provedBy === null ? '' : `, ${PROOF[main.provedBy]}`;
  const path = main.path ?? (main.candidates.length > 0 ? main.candidates.join(' or ') : null);
  return `${memberText(path, main.sizeBytes, main)}${proof}`;
}

function memberText(
  path: string | null,
  sizeBytes: number,
  identity: { readonly model: string; readonly serial: string },
): string {
  const parts = [path ?? '(not found)', formatSize(sizeBytes), describeIdentity(identity)];
  return parts.filter((part) => part !== '').join(', ');
}

const PROOF = {
  serialNumber: 'known by its serial number',
  contents: 'known by its contents',
  size: 'known by nothing but its size',
  served: 'at work',
} as const;

const COLOUR: Readonly<Record<ScanVerdict['state'], Colour>> = {
  served: 'green',
  complete: 'green',
  incomplete: 'yellow',
  refused: 'red',
};

export function addScanCommand(program: Command, run: (args: ScanArguments) => Promise<void>): void {
  const command = program
    .command('scan')
    .summary('find the sets on block devices or images')
    .description(
      'Looks at every block device of the machine, or at the devices and images that are given, for metadata of dm-remap, ' +
        'and puts the sets together: name, main device, spares; whether the set is served, complete, incomplete or ' +
        'refused, why, and what to do next. Nothing is written, and devices may be in use.\n\n' +
        'The main device is found by its serial number or WWN; a device without is known by its contents, if the set ' +
        'was stopped cleanly. It is looked for among all block devices, and what is given. A copy of a spare or of a ' +
        'main device, a spare that is older than its partners, a main device that was written without dm-remap, and ' +
        'what is missing are named.\n\n' +
        'The map itself is not read: a start may find more. Sets that are served are known by the sockets in the run ' +
        'directory of this user.',
    )
    .argument('[device...]', 'devices or image files to look at; by itself all block devices')
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action((paths: string[], options: { json: boolean }) => run({ paths, json: options.json }));
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage', 'device'],
    examples: ['dmremap scan', 'dmremap scan disk.img spare.img', 'dmremap scan --json | jq .sets[].state'],
  });
}
