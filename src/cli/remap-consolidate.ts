import { type Command, Option } from 'commander';
import { formatCount } from '../base/format-count.js';
import type { JobReport } from '../control/schema/jobs.js';
import { awaitJob, problemOf, throwUnlessDone } from './await-job.js';
import type { CliContext } from './cli-context.js';
import { EXIT_STATUS } from './exit-status.js';
import { isUnderWay } from './follow-job.js';
import { helpLikeManual } from './help.js';
import { writeJson } from './output.js';
import { writeOutcome } from './write-outcome.js';

export interface ConsolidateArguments {
  readonly set: string;
  readonly json: boolean;
}

/** `dmremap remap consolidate`: neighbours on the main device become neighbours on the spares. */
export async function consolidateRemaps(
  { set, json }: ConsolidateArguments,
  context: CliContext,
): Promise<number> {
  const served = await context.running.one(set);
  const job = await awaitJob(served, () => served.client.consolidate(), set, context);
  const total = totalOf(job);
  if (isUnderWay(job)) {
    if (json) writeJson(context.out, { ...total, interrupted: true, job });
    return EXIT_STATUS.interrupted;
  }
  if (json) return writeOutcome({ ...total }, problemOf(job), context);
  context.out.write(`${text(total)}\n`);
  throwUnlessDone(job);
  return EXIT_STATUS.done;
}

export interface ConsolidationTotal {
  readonly version: 1;
  readonly movedCount: number;
  /** Of the last part: units that stay where they are. */
  readonly refusals: JobReport['refusals'];
  readonly scatteredRunCount: number;
}

function totalOf({ movedUnits, refusals, progress: { done, total } }: JobReport): ConsolidationTotal {
  return { version: 1, movedCount: movedUnits, refusals, scatteredRunCount: total - done };
}

function text({ movedCount, scatteredRunCount, refusals }: ConsolidationTotal): string {
  if (scatteredRunCount === 0)
    return movedCount === 0
      ? 'nothing to do: units that are neighbours lie side by side'
      : `${formatCount(movedCount, 'unit')} moved: units that are neighbours lie side by side`;
  const why = refusals.length === 0 ? ': no spare has so many free places in a row' : '';
  return `${formatCount(movedCount, 'unit')} moved; ${formatCount(scatteredRunCount, 'run')} of neighbours in pieces still${why}`;
}

export function addConsolidateCommand(
  group: Command,
  run: (args: ConsolidateArguments) => Promise<void>,
): void {
  const command = group
    .command('consolidate')
    .summary('put scattered units together on the spares')
    .description(
      'Moves units on the spares, while the set is at work, until those that are neighbours on the main device lie side by ' +
        'side in their order, so that reading over them is sequential. Every run of neighbours needs as many free places in a ' +
        'row on one spare. That is a job of the process that serves the set, and of the next one after a crash or a reboot ' +
        '("dmremap jobs"): Ctrl-C ends the command and not the job, and called again it waits for it. ' +
        'The setting allocation_policy=near keeps neighbours together from the start.',
    )
    .argument('<set>', 'name, set id, block device, main device or spare')
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action((set: string, { json }: { json: boolean }) => run({ set, json }));
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage', 'device', 'refused', 'io', 'interrupted'],
    examples: ['dmremap remap consolidate attic'],
  });
}
