import { type Command, Option } from 'commander';
import type { CliContext } from './cli-context.js';
import { EXIT_STATUS } from './exit-status.js';
import { helpLikeManual } from './help.js';

export interface StopArguments {
  readonly path: string;
  readonly force: boolean;
}

/** `dmremap stop`: takes a block device away and ends the process that serves it. */
export async function stop(args: StopArguments, context: CliContext): Promise<number> {
  await context.library.stopBlockDevice(args.path, { force: args.force });
  return EXIT_STATUS.done;
}

export function addStopCommand(program: Command, action: (args: StopArguments) => Promise<void>): void {
  const command = program
    .command('stop')
    .summary('stop a block device that "run --ublk" serves')
    .description(
      'Asks the process that serves the block device to stop, and waits until both are gone. Refused while the ' +
        'device is in use. Also removes a block device whose process has died and shall not be started again.',
    )
    .argument('<device>', '/dev/ublkbN, or a link to it such as /dev/dm-remap/NAME')
    .addOption(
      new Option(
        '--force',
        'although it is in use: those who use it get errors, and what they have not flushed is lost',
      ).default(false),
    )
    .action((path: string, options: { force: boolean }) => action({ path, force: options.force }));
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage', 'device', 'refused', 'system'],
    examples: ['umount /mnt && dmremap stop /dev/ublkb0'],
  });
}
