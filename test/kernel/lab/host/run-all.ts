import type { Job } from './jobs.js';
import { kernel } from './kernel.js';
import { machineSlot } from './machine-slots.js';
import { type Outcome, runScenario } from './run-scenario.js';

export interface SuiteOptions {
  readonly seed: number;
  /** Machines at the same time. */
  readonly machineCount: number;
  readonly show: boolean;
}

/** Does all jobs, some at a time; one line each, a summary at the end. Answers with the exit status. */
export async function runAll(jobs: readonly Job[], options: SuiteOptions): Promise<number> {
  // One after the other, before machines start: a download would eat into a scenario's time.
  for (const name of new Set(jobs.map((job) => job.kernel))) await kernel(name);
  const waiting = [...jobs];
  const failures: string[] = [];
  const work = async (): Promise<void> => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      const giveBack = await machineSlot();
      const outcome = await runScenario(job.found, { ...options, ...job });
      giveBack();
      report(job, outcome);
      if (outcome.failure !== null)
        failures.push(`${nameOf(job)}: ${outcome.failure.split('\n').slice(0, 3).join(' | ')}`);
    }
  };
  await Promise.all(Array.from({ length: options.machineCount }, work));
  // Once more, last: of a long output often only the end is kept.
  for (const failure of failures) console.log(`FAILED ${failure}`);
  console.log(`${jobs.length - failures.length} passed, ${failures.length} failed`);
  return failures.length === 0 ? 0 : 1;
}

function nameOf({ found, kernel: kernelName }: Job): string {
  return `${found.scenario.name} ${kernelName}`;
}

function report(job: Job, { seconds, failure, details }: Outcome): void {
  const verdict = failure === null ? 'passed' : `FAILED: ${failure}`;
  console.log(`${nameOf(job)} ${seconds.toFixed(1)} s ${verdict}`);
  for (const line of details) console.log(`    ${line}`);
}
