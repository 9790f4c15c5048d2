import { type Command, Option } from 'commander';
import { formatNumber } from '../base/format-count.js';
import type { RunningSet } from '../control/client/running-sets.js';
import type { CliContext } from './cli-context.js';
import { helpLikeManual } from './help.js';
import { tellNoneServed } from './none-served.js';
import { writeJson } from './output.js';
import { formatSize } from './sizes.js';
import { statusOfLook } from './status-of-look.js';
import { formatTable } from './table.js';

export interface ListArguments {
  readonly json: boolean;
}

/** `dmremap list`: the sets that are served on this machine, a line each. */
export async function list(args: ListArguments, context: CliContext): Promise<number> {
  const sets = await context.running.all();
  if (args.json) writeJson(context.out, { sets: sets.map(({ device }) => device) });
  else if (sets.length === 0) tellNoneServed(context);
  else context.out.write(formatTable(TITLES, sets.map(rowOf)));
  return statusOfLook(context);
}

function rowOf({ device }: RunningSet): (string | number)[] {
  const { name, setId, health, endpoints, main, sizeBytes, remappedUnits } = device;
  const { freeSpareUnits, usableSpareUnits } = device;
  const free = usableSpareUnits === 0 ? 0 : (100 * freeSpareUnits) / usableSpareUnits;
  return [
    name === '' ? '-' : name,
    health.state,
    endpoints[0]?.address ?? '-',
    main.path,
    formatSize(sizeBytes),
    formatNumber(remappedUnits),
    `${free.toFixed(1)} %`,
    setId,
  ];
}

const TITLES = ['NAME', 'STATE', 'SERVED AT', 'MAIN', 'SIZE', 'MOVED UNITS', 'SPARE LEFT', 'SET'];

export function addListCommand(program: Command, run: (args: ListArguments) => Promise<void>): void {
  const command = program
    .command('list')
    .summary('list the sets that are served on this machine')
    .description(
      'Asks every process that serves a set (dmremap run) on this machine: a line each. One that does not answer within 30 ' +
        'seconds, or that this user may not ask, is left out, which a line on standard error says, and the exit status.',
    )
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action((options: ListArguments) => run({ json: options.json }));
  helpLikeManual(command, { exitStatuses: ['done', 'device'], examples: ['dmremap list'] });
}
