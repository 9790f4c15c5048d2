import { type Command, Option } from 'commander';
import { labelOf } from '../../control/client/pick-set.js';
import type { RunningSet } from '../../control/client/running-sets.js';
import type { CliContext } from '../cli-context.js';
import { EXIT_STATUS } from '../exit-status.js';
import { helpLikeManual } from '../help.js';
import { writeJson } from '../output.js';
import { statusOfLook } from '../status-of-look.js';
import { formatTable } from '../table.js';
import { deviceNumbersOf } from './device-numbers.js';
import { tellNoDevices } from './no-devices.js';

export interface InfoArguments {
  /** Undefined: all that are served. */
  readonly set: string | undefined;
  readonly columns: boolean;
  readonly noHeadings: boolean;
  readonly json: boolean;
}

/** `dmremap info`: what `dmsetup info` says of a device. */
export async function info(args: InfoArguments, context: CliContext): Promise<number> {
  const { running, out } = context;
  const sets = args.set === undefined ? await running.all() : [await running.one(args.set)];
  const facts = await Promise.all(sets.map((set) => factsOf(set, context)));
  if (args.json) writeJson(out, { devices: facts });
  else if (facts.length === 0) tellNoDevices(context);
  else if (args.columns) out.write(columnsText(facts, args.noHeadings));
  else out.write(facts.map(blockText).join('\n'));
  return args.set === undefined ? statusOfLook(context) : EXIT_STATUS.done;
}

interface DeviceFacts {
  readonly name: string;
  readonly isSuspended: boolean;
  readonly openCount: number;
  readonly eventNumber: number;
  readonly major: number | null;
  readonly minor: number | null;
  readonly uuid: string;
}

async function factsOf({ device, client }: RunningSet, { library }: CliContext): Promise<DeviceFacts> {
  const blockDevice = device.endpoints.find(({ kind }) => kind === 'ublk');
  const users = blockDevice === undefined ? [] : await library.blockDeviceUsers(blockDevice.address);
  const numbers = deviceNumbersOf(device);
  return {
    name: labelOf(device),
    isSuspended: device.suspended,
    openCount: users.length + device.connections,
    eventNumber: (await client.events()).at(-1)?.id ?? 0,
    major: numbers?.major ?? null,
    minor: numbers?.minor ?? null,
    uuid: device.setId,
  };
}

function blockText(facts: DeviceFacts): string {
  const numbers = facts.major === null ? 'none (nbd)' : `${facts.major}, ${facts.minor}`;
  const fields: readonly (readonly [string, string | number])[] = [
    ['Name', facts.name],
    ['State', facts.isSuspended ? 'SUSPENDED' : 'ACTIVE'],
    ['Tables present', 'LIVE'],
    ['Open count', facts.openCount],
    ['Event number', facts.eventNumber],
    ['Major, minor', numbers],
    ['Number of targets', 1],
    ['UUID', facts.uuid],
  ];
  return fields.map(([label, value]) => `${`${label}:`.padEnd(LABEL_COLUMNS)}${value}\n`).join('');
}

/** `dmsetup info -c`: L live table, s suspended, w writable. */
function columnsText(all: readonly DeviceFacts[], noHeadings: boolean): string {
  const rows = all.map((facts) => [
    facts.name,
    facts.major ?? '-',
    facts.minor ?? '-',
    `L-${facts.isSuspended ? 's' : '-'}w`,
    facts.openCount,
    1,
    facts.eventNumber,
    facts.uuid,
  ]);
  if (!noHeadings) return formatTable(TITLES, rows);
  return rows.map((row) => `${row.join(':')}\n`).join('');
}

const TITLES = ['Name', 'Maj', 'Min', 'Stat', 'Open', 'Targ', 'Event', 'UUID'];
const LABEL_COLUMNS = 19;

export function addInfoCommand(program: Command, run: (args: InfoArguments) => Promise<void>): void {
  const command = program
    .command('info')
    .summary('name, state, numbers and events of sets that are served, as "dmsetup info"')
    .description(
      'For each set: whether it is suspended, how many use it, the number of its last event (for "dmremap wait"), the ' +
        'numbers of its block device. The open count is of mounts, processes and devices on top, and of NBD clients.',
    )
    .argument('[set]', 'name, set id, block device, main device or spare; by itself all')
    .addOption(new Option('-c, --columns', 'a line each').default(false))
    .addOption(
      new Option('--noheadings', 'with -c: no titles, and colons between the columns').default(false),
    )
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action((set: string | undefined, { columns, noheadings, json }: CommandOptions) =>
      run({ set, columns, noHeadings: noheadings, json }),
    );
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage', 'device'],
    examples: ['dmremap info attic', 'dmremap info -c --noheadings'],
  });
}

interface CommandOptions {
  readonly columns: boolean;
  readonly noheadings: boolean;
  readonly json: boolean;
}
