import { type Command, Option } from 'commander';
import type { EventListResource } from '../control/schema/events.js';
import type { CliContext } from './cli-context.js';
import { EXIT_STATUS } from './exit-status.js';
import { helpLikeManual } from './help.js';
import { type Output, writeJson } from './output.js';
import { formatTime } from './time.js';

export interface EventsArguments {
  readonly set: string;
  readonly follow: boolean;
  readonly json: boolean;
}

/** `dmremap events`: what happened to a set lately, and with `--follow` what happens from now on. */
export async function events(args: EventsArguments, context: CliContext): Promise<number> {
  const { client, device } = await context.running.one(args.set);
  if (args.follow) {
    await client.follow((event) => writeEvent(event, args.json, context.out), new AbortController().signal);
    return EXIT_STATUS.done;
  }
  const all = await client.events();
  if (args.json) writeJson(context.out, { setId: device.setId, events: all });
  else for (const event of all) writeEvent(event, false, context.out);
  return EXIT_STATUS.done;
}

/** `--follow --json` is a line of JSON for each. */
function writeEvent(event: EventListResource['events'][number], json: boolean, out: Output): void {
  if (json) return out.write(`${JSON.stringify({ version: 1, ...event })}\n`);
  const { timeMs, level, event: name, message } = event;
  out.write(`${formatTime(Math.floor(timeMs / 1000))}  ${level.padEnd(5)}  ${name}: ${message}\n`);
}

export function addEventsCommand(program: Command, run: (args: EventsArguments) => Promise<void>): void {
  const command = program
    .command('events')
    .summary('show what happened to a set that is served')
    .description(
      'The last thousand events since the process that serves the set was started: units that moved, blocks that were ' +
        'lost, devices that went and came back. With --follow also what happens from now on, until the process ends.',
    )
    .argument('<set>', 'name, set id, block device, main device or spare')
    .addOption(new Option('-f, --follow', 'go on as things happen').default(false))
    .addOption(new Option('--json', 'print JSON; with --follow a line for each event').default(false))
    .action((set: string, options: { follow: boolean; json: boolean }) => run({ set, ...options }));
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage', 'device', 'outputClosed'],
    examples: ['dmremap events attic', 'dmremap events attic --follow --json'],
  });
}
