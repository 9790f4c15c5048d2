import { type Command, Option } from 'commander';
import { commandLine } from '../base/shell-words.js';
import { NoAnswer } from '../control/client/no-answer.js';
import type { RunningSet } from '../control/client/running-sets.js';
import type { EventListResource } from '../control/schema/events.js';
import { DmRemapError } from '../library/errors.js';
import type { CliContext } from './cli-context.js';
import { EXIT_STATUS } from './exit-status.js';
import { helpLikeManual } from './help.js';
import { type Output, writeJson } from './output.js';
import { printable } from './printable.js';
import { formatTime } from './time.js';

export interface EventsArguments {
  readonly set: string;
  readonly follow: boolean;
  readonly json: boolean;
}

/** `dmremap events`: what happened to a set lately, and with `--follow` what happens from now on. */
export async function events(args: EventsArguments, context: CliContext): Promise<number> {
  const set = await context.running.one(args.set);
  if (args.follow) return follow(set, args, context);
  const { client, device } = set;
  const all = await client.events();
  if (args.json) writeJson(context.out, { setId: device.setId, events: all });
  else for (const event of all) writeEvent(event, false, context.out);
  return EXIT_STATUS.done;
}

/** Ends well when the set is closed, and only then: who watches over a set must hear that its process was killed. */
async function follow(
  { client, device }: RunningSet,
  { json, set }: EventsArguments,
  context: CliContext,
): Promise<number> {
  try {
    await client.follow((event) => writeEvent(event, json, context.out), new AbortController().signal);
    return EXIT_STATUS.done;
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
  }
  const isServed = await isServedBy(device.processId, client);
  throw new DmRemapError('system', cutOffText(isServed, device.processId, set));
}

/** It serves on where it has only given up a listener that did not read. */
async function isServedBy(processId: number, client: RunningSet['client']): Promise<boolean> {
  try {
    return (await client.device()).processId === processId;
  } catch (error) {
    if (error instanceof NoAnswer) return false;
    throw error;
  }
}

function cutOffText(isServed: boolean, processId: number, called: string): string {
  if (isServed)
    return `process ${processId} has cut the events off, because they were not read fast enough; "${commandLine(['dmremap', 'events', called])}" shows the last thousand`;
  return `process ${processId} ended without having stopped the set: see its log, and run the set again`;
}

/** `--follow --json` is a line of JSON for each. */
function writeEvent(event: EventListResource['events'][number], json: boolean, out: Output): void {
  if (json) return out.write(`${JSON.stringify({ version: 1, ...event })}\n`);
  const { timeMs, level, event: name, message } = event;
  out.write(`${formatTime(Math.floor(timeMs / 1000))}  ${level.padEnd(5)}  ${name}: ${printable(message)}\n`);
}

export function addEventsCommand(program: Command, run: (args: EventsArguments) => Promise<void>): void {
  const command = program
    .command('events')
    .summary('show what happened to a set that is served')
    .description(
      'The last thousand events since the set was opened last: units that moved, blocks that were lost, devices that went ' +
        'and came back. A change of the spares or of the main device opens it again; older ones are in the log. With --follow also what happens from now on, until the ' +
        'process closes the set: then it ends with status 0, and with 7 where the process was killed.',
    )
    .argument('<set>', 'name, set id, block device, main device or spare')
    .addOption(new Option('-f, --follow', 'go on as things happen').default(false))
    .addOption(new Option('--json', 'print JSON; with --follow a line for each event').default(false))
    .action((set: string, options: { follow: boolean; json: boolean }) => run({ set, ...options }));
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage', 'device', 'system', 'outputClosed'],
    examples: ['dmremap events attic', 'dmremap events attic --follow --json'],
  });
}
