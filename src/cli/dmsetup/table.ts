import { type Command, Option } from 'commander';
import { labelOf } from '../../control/client/pick-set.js';
import type { DeviceResource } from '../../control/schema/device.js';
import type { CliContext } from '../cli-context.js';
import { EXIT_STATUS } from '../exit-status.js';
import { helpLikeManual } from '../help.js';
import { writeJson } from '../output.js';
import { statusOfLook } from '../status-of-look.js';
import { tellNoDevices } from './no-devices.js';
import { formatTableLine, type TableLine } from './table-line.js';

export interface TableArguments {
  /** Undefined: all that are served. */
  readonly set: string | undefined;
  readonly json: boolean;
}

/** `dmremap table`: the line that `dmremap create` would make the set from. */
export async function table(args: TableArguments, context: CliContext): Promise<number> {
  const { running, out } = context;
  const sets = args.set === undefined ? await running.all() : [await running.one(args.set)];
  const devices = sets.map(({ device }) => device);
  if (args.json)
    writeJson(out, { tables: devices.map((device) => ({ name: labelOf(device), ...lineOf(device) })) });
  else if (devices.length === 0) tellNoDevices(context);
  else
    for (const device of devices) {
      const prefix = args.set === undefined ? `${labelOf(device)}: ` : '';
      out.write(`${prefix}${formatTableLine(lineOf(device))}\n`);
    }
  return args.set === undefined ? statusOfLook(context) : EXIT_STATUS.done;
}

/** A set that was not made by `create` is told as the module's last version would. */
function lineOf({ sizeBytes, main, spares, createdAs }: DeviceResource): TableLine {
  return {
    sectorCount: sizeBytes / 512,
    main: main.path,
    spare: spares[0]!.path,
    createdAs: createdAs ?? { target: 'dm-remap-v4', spareRange: null },
  };
}

export function addTableCommand(program: Command, run: (args: TableArguments) => Promise<void>): void {
  const command = program
    .command('table')
    .summary('print the table of sets that are served, as "dmsetup table"')
    .description(
      'The line that "dmremap create" takes to make the set; without SET that of all sets, each with the name before it. Of several ' +
        'spares it has the first. For the map as a table of the kernel see "dmremap export --dm-table".',
    )
    .argument('[set]', 'name, set id, block device, main device or spare; by itself all')
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action((set: string | undefined, { json }: { json: boolean }) => run({ set, json }));
  helpLikeManual(command, { exitStatuses: ['done', 'usage', 'device'], examples: ['dmremap table attic'] });
}
