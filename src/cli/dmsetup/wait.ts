import { type Command, Option } from 'commander';
import { DmRemapError } from '../../library/errors.js';
import type { CliContext } from '../cli-context.js';
import { EXIT_STATUS } from '../exit-status.js';
import { helpLikeManual } from '../help.js';
import { writeJson } from '../output.js';

export interface WaitArguments {
  readonly set: string;
  /** Undefined: the last one there is. */
  readonly eventNumber: number | undefined;
  readonly json: boolean;
}

/** `dmremap wait`: until there is an event after this one. */
export async function wait(args: WaitArguments, context: CliContext): Promise<number> {
  const { client } = await context.running.one(args.set);
  const after = args.eventNumber ?? (await client.events()).at(-1)?.id ?? 0;
  const enough = new AbortController();
  let number: number | undefined;
  await client.follow(
    (event) => {
      number ??= event.id;
      enough.abort();
    },
    enough.signal,
    after,
  );
  if (number === undefined)
    throw new DmRemapError('device', `${args.set}: its process has ended before there was another event`);
  if (args.json) writeJson(context.out, { eventNumber: number });
  return EXIT_STATUS.done;
}

export function addWaitCommand(program: Command, run: (args: WaitArguments) => Promise<void>): void {
  const command = program
    .command('wait')
    .summary('wait for an event of a set, as "dmsetup wait"')
    .description(
      'Ends when the set has an event with a number above EVENT_NR, which may be so already; without a number, or with one ' +
        'that the set has not come to yet, when there is another event. "dmremap info" tells the number of the last event, "dmremap events" what happened. Numbers ' +
        'begin again at 1 with each process that serves the set.',
    )
    .argument('<set>', 'name, set id, block device, main device or spare')
    .argument('[event_nr]', 'wait for an event after this one', numberOf)
    .addOption(new Option('--json', 'print JSON: the number of the event').default(false))
    .action((set: string, eventNumber: number | undefined, { json }: { json: boolean }) =>
      run({ set, eventNumber, json }),
    );
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage', 'device'],
    examples: ['dmremap wait attic && dmremap status attic'],
  });
}

function numberOf(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(number)) return number;
  throw new DmRemapError('usage', `event number ${text}: expected a whole number`);
}
