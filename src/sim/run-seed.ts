import { blankSet } from './blank-set.js';
import { drawHandOvers } from './block-device/draw-hand-overs.js';
import { CheckFailure, type CheckName } from './check-failure.js';
import { drawByHand } from './commands/draw-by-hand.js';
import { drawCommands } from './commands/draw-commands.js';
import { drawEvacuationTurns } from './commands/draw-evacuation-turns.js';
import { drawEvacuations } from './commands/draw-evacuations.js';
import { drawSettings } from './commands/draw-settings.js';
import { drawShifts } from './commands/draw-shifts.js';
import { drawSpares } from './commands/draw-spares.js';
import { drawCloseCalls } from './draw-close-calls.js';
import { drawFlushCrowds } from './draw-flush-crowds.js';
import { drawReadOnly } from './draw-read-only.js';
import { drawTightSpots } from './draw-tight-spots.js';
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
  const plan = planWithHandOvers(seed);
  const disks = new Random(seed, DISK_STREAM);
  const hasNativeFua = disks.chance(1, 2);
  // What another disk got of what was only shown is there again after the take-over (docs/fault-model.md).
  const hasPageCache = plan.scenario.replacementBytes === undefined && disks.chance(1, 3);
  return { ...plan, scenario: { ...plan.scenario, hasNativeFua, hasPageCache } };
}

function planWithHandOvers(seed: number): Plan {
  const plan = planWithFlushCrowds(seed);
  const blockDevice = new Random(seed, BLOCK_DEVICE_STREAM);
  return blockDevice.chance(1, 6) ? { seed, ...drawHandOvers(blockDevice, plan) } : plan;
}

function planWithFlushCrowds(seed: number): Plan {
  const plan = planWithCloseCalls(seed);
  const crowds = new Random(seed, FLUSH_CROWD_STREAM);
  return crowds.chance(1, 8) ? { seed, ...drawFlushCrowds(crowds, plan.scenario, plan.steps) } : plan;
}

function planWithCloseCalls(seed: number): Plan {
  const plan = planWithTightSpots(seed);
  const calls = new Random(seed, CLOSE_CALL_STREAM);
  return calls.chance(1, 4) ? { ...plan, steps: drawCloseCalls(calls, plan.scenario, plan.steps) } : plan;
}

function planWithTightSpots(seed: number): Plan {
  const plan = planWithReadOnly(seed);
  const spots = new Random(seed, TIGHT_SPOT_STREAM);
  return spots.chance(1, 6) ? { seed, ...drawTightSpots(spots, plan.scenario, plan.steps) } : plan;
}

function planWithReadOnly(seed: number): Plan {
  const plan = planWithEvacuationTurns(seed);
  const readOnly = new Random(seed, READ_ONLY_STREAM);
  return readOnly.chance(1, 6) ? { ...plan, steps: drawReadOnly(readOnly, plan.steps) } : plan;
}

function planWithEvacuationTurns(seed: number): Plan {
  const plan = planWithEvacuations(seed);
  const turns = new Random(seed, EVACUATION_TURN_STREAM);
  return { ...plan, steps: drawEvacuationTurns(turns, plan.scenario, plan.steps) };
}

function planWithEvacuations(seed: number): Plan {
  const plan = planWithShifts(seed);
  const evacuations = new Random(seed, EVACUATION_STREAM);
  if (!evacuations.chance(1, 8)) return plan;
  const scenario = { ...plan.scenario, hasCommands: true, hasRemains: false };
  return { seed, ...drawEvacuations(evacuations, scenario, plan.steps.map(unhidden)) };
}

function planWithShifts(seed: number): Plan {
  const plan = planWithSettings(seed);
  const shifts = new Random(seed, SHIFT_STREAM);
  if (!shifts.chance(1, 6)) return plan;
  const scenario = { ...plan.scenario, hasCommands: true, hasRemains: false };
  return { seed, scenario, steps: drawShifts(shifts, scenario, plan.steps.map(unhidden)) };
}

function planWithSettings(seed: number): Plan {
  const plan = planWithSpares(seed);
  const settings = new Random(seed, SETTING_STREAM);
  if (!settings.chance(1, 6)) return plan;
  const scenario = { ...plan.scenario, hasCommands: true, hasRemains: false };
  return { seed, ...drawSettings(settings, scenario, plan.steps.map(unhidden)) };
}

function planWithSpares(seed: number): Plan {
  const plan = planWithHands(seed);
  const spares = new Random(seed, SPARE_STREAM);
  if (!spares.chance(1, 6)) return plan;
  const scenario = { ...plan.scenario, hasCommands: true, hasRemains: false };
  return { seed, ...drawSpares(spares, scenario, plan.steps.map(unhidden)) };
}

function planWithHands(seed: number): Plan {
  const plan = planWithoutHands(seed);
  const hands = new Random(seed, HAND_STREAM);
  return hands.chance(1, 4) ? { ...plan, steps: drawByHand(hands, plan.scenario, plan.steps) } : plan;
}

function planWithoutHands(seed: number): Plan {
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

/** Others than those of the history and of its execution. */
const COMMAND_STREAM = 2;
const HAND_STREAM = 3;
const SPARE_STREAM = 4;
const SETTING_STREAM = 5;
const BLOCK_DEVICE_STREAM = 6;
const SHIFT_STREAM = 7;
const EVACUATION_STREAM = 8;
const READ_ONLY_STREAM = 9;
const EVACUATION_TURN_STREAM = 10;
const TIGHT_SPOT_STREAM = 11;
const CLOSE_CALL_STREAM = 12;
const FLUSH_CROWD_STREAM = 13;
const DISK_STREAM = 14;
const LENGTHS = [30, 80, 80, 160, 300];
