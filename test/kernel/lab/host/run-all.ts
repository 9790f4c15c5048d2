import type { KernelName } from '../kernel-name.js';
import type { Frontend } from '../scenario.js';
import type { FoundScenario } from './find-scenarios.js';
import { kernel } from './kernel.js';
import { machineSlot } from './machine-slots.js';
import { type Outcome, runScenario } from './run-scenario.js';

export interface SuiteOptions {
  readonly kernels: readonly KernelName[];
  readonly frontend: Frontend | undefined;
  readonly seed: number;
  /** Machines at the same time. */
  readonly jobs: number;
  readonly show: boolean;
}

interface Job {
  readonly found: FoundScenario;
  readonly kernel: KernelName;
}

/** Runs scenarios on their kernels, some at a time; one line each, a summary at the end. Answers with the exit status. */
export async function runAll(scenarios: readonly FoundScenario[], options: SuiteOptions): Promise<number> {
  const jobs: Job[] = scenarios.flatMap((found) =>
    found.scenario.kernels
      .filter((name) => options.kernels.includes(name))
      .map((name) => ({ found, kernel: name })),
  );
  // One after the other, before machines start: a download would eat into a scenario's time.
  for (const name of new Set(jobs.map((job) => job.kernel))) await kernel(name);
  const waiting = [...jobs];
  let failed = 0;
  const work = async (): Promise<void> => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      const giveBack = await machineSlot();
      const outcome = await runScenario(job.found, { ...options, kernel: job.kernel });
      giveBack();
      report(job, outcome);
      if (outcome.failure !== null) failed += 1;
    }
  };
  await Promise.all(Array.from({ length: options.jobs }, work));
  console.log(`${jobs.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

function report({ found, kernel: kernelName }: Job, { seconds, failure, details }: Outcome): void {
  const verdict = failure === null ? 'passed' : `FAILED: ${failure}`;
  console.log(`${found.scenario.name} ${kernelName} ${seconds.toFixed(1)} s ${verdict}`);
  for (const line of details) console.log(`    ${line}`);
}
