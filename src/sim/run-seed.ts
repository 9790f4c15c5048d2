import { blankSet } from './blank-set.js';
import { CheckFailure, type CheckName } from './check-failure.js';
import { drawCommands } from './commands/draw-commands.js';
import { drawHistory, type Step } from './history.js';
import { Random } from './random.js';
import { drawScenario, type Scenario } from './scenario.js';
import { Simulation } from './simulation.js';
import type { Statistics } from './statistics.js';

/** A run as a seed says it: everything else follows. */
export interface Plan {
  readonly seed: number;
  readonly scenario: Scenario;
  readonly steps: readonly Step[];
}

export function planOf(seed: number): Plan {
  const random = new Random(seed);
  let scenario = drawScenario(random);
  while (blankSet(scenario) === undefined) scenario = drawScenario(random);
  const steps = drawHistory(random, scenario, random.pick(LENGTHS));
  const commands = new Random(seed, COMMAND_STREAM);
  if (commands.chance(1, 2)) return { seed, scenario, steps };
  const withCommands = { ...scenario, hasCommands: true, hasRemains: false };
  return { seed, scenario: withCommands, steps: drawCommands(commands, withCommands, steps.map(unhidden)) };
}

/** What hides must not be taken for damage that a command has left; see docs/fault-model.md. */
function unhidden(step: Step): Step {
  return step.kind === 'crash' ? { ...step, hides: false } : step;
}

/** Carries a plan out; what went wrong, or undefined. `log` gets a line for all that happens. */
export function runPlan(
  plan: Plan,
  statistics: Statistics,
  log?: (line: string) => void,
): Failure | undefined {
  const simulation = new Simulation(plan.scenario, plan.seed, statistics, log);
  try {
    simulation.run(plan.steps);
    return undefined;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const check = error instanceof CheckFailure ? error.check : 'invariant';
    return { check, message: error.message, stack: error.stack ?? '' };
  }
}

export interface Failure {
  readonly check: CheckName;
  readonly message: string;
  readonly stack: string;
}

/** Another one than those of the history and of its execution. */
const COMMAND_STREAM = 2;
const LENGTHS = [30, 80, 80, 160, 300];
