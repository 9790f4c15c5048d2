import { type Command, Option } from 'commander';
import type { JobReport } from '../control/schema/jobs.js';
import type { AnswerOf } from './answer-schemas.js';
import type { CliContext } from './cli-context.js';
import { EXIT_STATUS } from './exit-status.js';
import { helpLikeManual } from './help.js';
import { jobName, jobProgressText } from './job-text.js';
import { writeAnswer } from './output.js';
import { formatTable } from './table.js';

export interface JobsArguments {
  readonly set: string;
  readonly json: boolean;
}

/** `dmremap jobs`: long work on a set, and how far it is. */
export async function jobs({ set, json }: JobsArguments, context: CliContext): Promise<number> {
  const { client, device } = await context.running.one(set);
  const all = await client.jobs();
  const { setId, name } = device;
  if (json) writeAnswer<AnswerOf<'jobs'>>(context.out, { setId, name, jobs: all });
  else context.out.write(all.length === 0 ? 'no long work is under way\n' : jobsText(all));
  return EXIT_STATUS.done;
}

function jobsText(all: readonly JobReport[]): string {
  const rows = all.map((job) => [job.id, job.state, jobName(job), jobProgressText(job)]);
  const problems = all.filter(({ problem }) => problem !== null);
  const lines = problems.map(({ id, problem }) => `${id}: ${problem}\n`);
  return `${formatTable(['JOB', 'STATE', 'WHAT', 'PROGRESS'], rows)}${lines.join('')}`;
}

export function addJobsCommand(program: Command, action: (args: JobsArguments) => Promise<void>): void {
  const command = program
    .command('jobs')
    .summary('list long work on a set, with its progress')
    .description(
      'Emptying a spare, putting units together and copying to another disk are jobs of the process that serves the set: ' +
        'the commands that begin them wait for their end, and may be interrupted. Those under way, those that rest, and ' +
        'those that have ended in this process are listed. After a crash, an upgrade or a reboot the next process goes on ' +
        'with them; copying to another disk rests after a stop, and may after a reboot (see evacuate).',
    )
    .argument('<set>', 'name, set id, block device, main device or spare of a set at work')
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action((set: string, { json }: { json: boolean }) => action({ set, json }));
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage', 'device'],
    examples: ['dmremap jobs attic', 'dmremap jobs attic --json'],
  });
}
