import { type Command, Option } from 'commander';
import type { CliContext } from '../cli-context.js';
import { EXIT_STATUS } from '../exit-status.js';
import { helpLikeManual } from '../help.js';
import { writeJson } from '../output.js';

export interface SuspendArguments {
  readonly set: string;
  readonly flush: boolean;
  readonly json: boolean;
}

/** `dmremap suspend`: new requests wait; ends when those in flight have ended and were flushed. */
export async function suspend(args: SuspendArguments, context: CliContext): Promise<number> {
  const { client } = await context.running.one(args.set);
  const change = await client.suspend(args.flush);
  if (args.json) writeJson(context.out, { ...change });
  return EXIT_STATUS.done;
}

export interface ResumeArguments {
  readonly set: string;
  readonly json: boolean;
}

/** `dmremap resume`: lets the requests go that wait. */
export async function resume(args: ResumeArguments, context: CliContext): Promise<number> {
  const { client } = await context.running.one(args.set);
  const change = await client.resume();
  if (args.json) writeJson(context.out, { ...change });
  return EXIT_STATUS.done;
}

export function addSuspendCommand(program: Command, run: (args: SuspendArguments) => Promise<void>): void {
  const command = program
    .command('suspend')
    .summary('hold the requests of a set, as "dmsetup suspend"')
    .description(
      'New reads and writes wait. Ends when those in flight have ended, and what was written is durable. File systems ' +
        'on the set are not frozen; use fsfreeze for that. A suspension ends with "dmremap resume", and with the process ' +
        'that serves the set. Clients with time limits of their own give up sooner.',
    )
    .argument('<set>', 'name, set id, block device, main device or spare')
    .addOption(new Option('--noflush', 'do not make durable what was written').default(false))
    .addOption(new Option('--nolockfs', 'as always here: for scripts').default(false))
    .addOption(new Option('--json', 'print JSON: whether that changed anything').default(false))
    .action((set: string, { noflush, json }: { noflush: boolean; json: boolean }) =>
      run({ set, flush: !noflush, json }),
    );
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage', 'device', 'refused', 'io'],
    examples: ['dmremap suspend attic && dmremap resume attic'],
  });
}

export function addResumeCommand(program: Command, run: (args: ResumeArguments) => Promise<void>): void {
  const command = program
    .command('resume')
    .summary('let the requests of a suspended set go, as "dmsetup resume"')
    .description(
      'Requests that wait since "dmremap suspend" go on. Does nothing where the set is not suspended.',
    )
    .argument('<set>', 'name, set id, block device, main device or spare')
    .addOption(new Option('--json', 'print JSON: whether that changed anything').default(false))
    .action((set: string, { json }: { json: boolean }) => run({ set, json }));
  helpLikeManual(command, { exitStatuses: ['done', 'usage', 'device'], examples: ['dmremap resume attic'] });
}
