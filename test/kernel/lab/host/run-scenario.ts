import type { KernelName } from '../kernel-name.js';
import { type Frontend, type Lab, limitSeconds, type Scenario } from '../scenario.js';
import { accelerator } from './accelerator.js';
import type { FoundScenario } from './find-scenarios.js';
import { kernel } from './kernel.js';
import { ScenarioLab } from './scenario-lab.js';
import { makeWorkDirectory, removeWorkDirectory } from './work-directory.js';

export interface RunOptions {
  readonly kernel: KernelName;
  readonly frontends: readonly Frontend[];
  readonly seed: number;
  readonly show: boolean;
}

export interface Outcome {
  readonly seconds: number;
  /** null: passed. */
  readonly failure: string | null;
  /** For the report of a failure: what was said, the last lines of the console, where the rest is. */
  readonly details: readonly string[];
}

/** Runs one scenario on one kernel, from nothing to nothing. */
export async function runScenario(found: FoundScenario, options: RunOptions): Promise<Outcome> {
  const startedMs = Date.now();
  const workDirectory = makeWorkDirectory();
  const { scenario, modulePath } = found;
  const chosen = await kernel(options.kernel);
  const lab = await ScenarioLab.make({
    scenario,
    modulePath,
    kernel: chosen,
    accelerator: await accelerator(chosen.imagePath),
    frontends: options.frontends,
    seed: options.seed,
    workDirectory,
    show: options.show,
  });
  const failure = (await failureOf(scenario, lab)) ?? lab.troubles[0] ?? complaint(scenario, lab);
  await lab.close();
  removeWorkDirectory(workDirectory);
  const seconds = (Date.now() - startedMs) / 1_000;
  return { seconds, failure, details: failure === null ? [] : detailsOf(lab) };
}

async function failureOf(scenario: Scenario, lab: ScenarioLab): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setInterval(() => {
      const seconds = lab.workedSeconds;
      if (seconds < limitSeconds(scenario) * lab.slowness) return;
      lab.showBlockedTasks().then(() => resolve(`not done after ${Math.round(seconds)} s`));
    }, 1_000);
  });
  const work = (scenario.host ?? hostOfOneStep(scenario))(lab).then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  const failure = await Promise.race([work, late]);
  clearInterval(timer);
  return failure;
}

function hostOfOneStep(scenario: Scenario): (lab: Lab) => Promise<void> {
  return async (lab) => {
    const machine = await lab.boot();
    if (scenario.frontends === undefined) await machine.run('main');
    for (const frontend of lab.frontends) await machine.run('main', { frontend });
    await machine.powerOff();
  };
}

function complaint(scenario: Scenario, lab: ScenarioLab): string | null {
  const expected = scenario.expectedComplaints ?? [];
  const unexpected = lab.consoleLogs
    .flatMap((log) => log.complaints)
    .find((line) => !expected.some((pattern) => pattern.test(line)));
  return unexpected === undefined ? null : `the kernel complained: ${unexpected}`;
}

function detailsOf(lab: ScenarioLab): string[] {
  const consoles = lab.consoleLogs.flatMap((log) => [`-- ${log.path}, its end:`, ...log.tail(40)]);
  return [...lab.said.slice(-80), ...consoles, `-- seed ${lab.seed}`];
}
