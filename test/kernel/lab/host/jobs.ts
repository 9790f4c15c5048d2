import type { KernelName } from '../kernel-name.js';
import { type Frontend, limitSeconds, type Scenario, type SuitePart } from '../scenario.js';
import type { FoundScenario } from './find-scenarios.js';

/** One run of a scenario. */
export interface Job {
  readonly found: FoundScenario;
  readonly kernel: KernelName;
  /** None where the scenario has nothing to do with them. */
  readonly frontends: readonly Frontend[];
}

export interface Choice {
  readonly kernels: readonly KernelName[];
  /** Only this one, whatever scenarios say. */
  readonly frontend: Frontend | undefined;
  /** Without what scenarios leave out of the suite. */
  readonly isSuite: boolean;
}

/** The runs that are wanted, in the suite those that may take longest first, so that none goes on alone at the end; and a line for everything that the suite leaves out, with its reason. */
export function jobsOf(
  all: readonly FoundScenario[],
  choice: Choice,
): { readonly jobs: readonly Job[]; readonly leftOut: readonly string[] } {
  const jobs: Job[] = [];
  const leftOut: string[] = [];
  for (const found of all) {
    const { scenario } = found;
    const leaves = choice.isSuite ? scenario.notInSuite : undefined;
    if (typeof leaves === 'string') leftOut.push(`${scenario.name} left out: ${leaves}`);
    if (typeof leaves === 'string') continue;
    for (const [part, reason] of Object.entries(leaves ?? {}))
      leftOut.push(`${scenario.name} left out on ${part}: ${reason}`);
    const isIn = (part: SuitePart): boolean => leaves?.[part] === undefined;
    for (const kernel of scenario.kernels)
      if (choice.kernels.includes(kernel) && isIn(kernel))
        jobs.push({ found, kernel, frontends: frontendsOf(scenario, kernel, choice, isIn) });
  }
  if (choice.isSuite)
    jobs.sort((one, other) => limitSeconds(other.found.scenario) - limitSeconds(one.found.scenario));
  return { jobs, leftOut };
}

function frontendsOf(
  { frontends = [] }: Scenario,
  kernel: KernelName,
  { frontend: only }: Choice,
  isIn: (part: SuitePart) => boolean,
): readonly Frontend[] {
  if (only !== undefined) return [only];
  return frontends.filter((frontend) => isIn(`${kernel} ${frontend}`));
}
