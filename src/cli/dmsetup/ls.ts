import { type Command, Option } from 'commander';
import { labelOf } from '../../control/client/pick-set.js';
import type { DeviceResource } from '../../control/schema/device.js';
import type { CliContext } from '../cli-context.js';
import { helpLikeManual } from '../help.js';
import { writeJson } from '../output.js';
import { statusOfLook } from '../status-of-look.js';
import { deviceNumbersOf } from './device-numbers.js';
import { tellNoDevices } from './no-devices.js';

export interface LsArguments {
  readonly json: boolean;
}

/** `dmremap ls`: names, as `dmsetup ls` prints them. */
export async function ls({ json }: LsArguments, context: CliContext): Promise<number> {
  const devices = (await context.running.all()).map(({ device }) => device);
  if (json) {
    const rows = devices.map((device) => ({ name: labelOf(device), ...deviceNumbersOf(device) }));
    writeJson(context.out, { devices: rows });
  } else if (devices.length === 0) tellNoDevices(context);
  else for (const device of devices) context.out.write(`${labelOf(device)}\t(${numbersText(device)})\n`);
  return statusOfLook(context);
}

function numbersText(device: DeviceResource): string {
  const numbers = deviceNumbersOf(device);
  return numbers === undefined ? 'nbd' : `${numbers.major}:${numbers.minor}`;
}

export function addLsCommand(program: Command, run: (args: LsArguments) => Promise<void>): void {
  const command = program
    .command('ls')
    .summary('list the names of sets that are served, as "dmsetup ls"')
    .description(
      'A line for each set that is served: its name, a tab, and the numbers of its block device in brackets, (nbd) where ' +
        'it has none. "dmremap list" says more.',
    )
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action((options: LsArguments) => run({ json: options.json }));
  helpLikeManual(command, { exitStatuses: ['done', 'device'], examples: ['dmremap ls'] });
}
