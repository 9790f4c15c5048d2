import { type Command, Option } from 'commander';
import type { ControlClient } from '../control/client/control-client.js';
import type { JobReport } from '../control/schema/jobs.js';
import type { AnswerOf } from './answer-schemas.js';
import type { CliContext } from './cli-context.js';
import { EXIT_STATUS } from './exit-status.js';
import { helpLikeManual } from './help.js';
import { jobName, jobProgressText } from './job-text.js';
import { writeAnswer } from './output.js';

export interface JobArguments {
  readonly verb: JobVerb;
  readonly set: string;
  readonly job: string;
  readonly json: boolean;
}

/** `dmremap job`: has long work rest, has it go on, or gives it up. */
export async function changeJob(args: JobArguments, context: CliContext): Promise<number> {
  const { client, device } = await context.running.one(args.set);
  const before = (await client.jobs()).find(({ id }) => id === args.job);
  const job = await ACTIONS[args.verb](client, args.job);
  const changed = before?.state !== job.state;
  const { setId, name } = device;
  if (args.json) writeAnswer<AnswerOf<'job pause'>>(context.out, { setId, name, job, changed });
  else
    context.out.write(`${jobName(job)}: ${jobProgressText(job)}${changed ? '' : ' (nothing was changed)'}\n`);
  return EXIT_STATUS.done;
}

type JobVerb = 'pause' | 'resume' | 'cancel';

const ACTIONS: Readonly<Record<JobVerb, (client: ControlClient, id: string) => Promise<JobReport>>> = {
  pause: (client, id) => client.pauseJob(id),
  resume: (client, id) => client.resumeJob(id),
  cancel: (client, id) => client.cancelJob(id),
};

export function addJobCommand(program: Command, context: CliContext, ended: (status: number) => void): void {
  const group = program
    .command('job')
    .summary('pause, resume or cancel long work on a set')
    .description('Has long work on a set rest, has it go on, or gives it up.');
  helpLikeManual(group, { exitStatuses: ['done', 'usage'], examples: ['dmremap job pause --help'] });
  for (const { verb, summary, description } of VERBS) {
    const command = group
      .command(verb)
      .summary(summary)
      .description(description)
      .argument('<set>', 'name, set id, block device, main device or spare of a set at work')
      .argument('<job>', 'as "dmremap jobs" lists it')
      .addOption(new Option('--json', 'print JSON, for programs').default(false))
      .action(async (set: string, job: string, { json }: { json: boolean }) =>
        ended(await changeJob({ verb, set, job, json }, context)),
      );
    helpLikeManual(command, {
      exitStatuses: ['done', 'usage', 'device', 'refused'],
      examples: [`dmremap job ${verb} attic consolidate`],
    });
  }
}

const VERBS = [
  {
    verb: 'pause',
    summary: 'have a job rest',
    description:
      'The job rests until it is resumed, also when another process serves the set by then. What is under way is finished: a ' +
      'few seconds of work. Nothing is placed on a spare that is being emptied meanwhile; what is written while a set is ' +
      'copied to another disk goes on to be written to both. One that rests stays so; one that has ended is refused.',
  },
  {
    verb: 'resume',
    summary: 'have a job go on',
    description:
      'The job goes on where it was. One that goes on already is left to; one that has ended is refused, as the command that ' +
      'began it begins it anew. Copying to another disk that rests since a stop or a reboot is refused: "dmremap ' +
      'evacuate" without a disk goes on with that, and asks first.',
  },
  {
    verb: 'cancel',
    summary: 'give a job up',
    description:
      'The job ends, and what it has done stays. A spare that was being emptied, or is empty, takes units again. A disk that ' +
      'was being copied to is of no use. One that has ended stays as it is.',
  },
] as const;
