import { drawBurst } from '../burst.js';
import type { Step } from '../history.js';
import type { Random } from '../random.js';
import type { Scenario } from '../scenario.js';
import type { ChangeSparesStep, EmptyStep, SpareInterruption } from './spare-step.js';

/**
 * Puts changes of the spares, and suspensions, between the steps of a history. `random` is a stream of its own: the other
 * steps stay as they are.
 */
export function drawSpares(random: Random, scenario: Scenario, steps: readonly Step[]): SparePlan {
  const reserveBytes = Array.from({ length: 1 + random.below(2) }, () => (1 << 20) + 65536 * random.below(6));
  const volatileCaches = [...scenario.volatileCaches, ...reserveBytes.map(() => random.chance(7, 8))];
  const withSteps = steps.flatMap((step): Step[] =>
    random.chance(1, 24) ? [step, ...drawGroup(random, scenario)] : [step],
  );
  return { scenario: { ...scenario, reserveBytes, volatileCaches }, steps: withSteps };
}

export interface SparePlan {
  readonly scenario: Scenario;
  readonly steps: readonly Step[];
}

function drawGroup(random: Random, scenario: Scenario): Step[] {
  const spare = random.below(8);
  switch (random.below(4)) {
    case 0:
      return [drawChange(random, 'add', 0)];
    case 1:
      return [drawEmpty(random, spare, 1 << 20, false), drawChange(random, 'remove', spare)];
    case 2:
      return [
        drawEmpty(random, spare, 1 + random.below(8), random.chance(1, 2)),
        ...unhidden(drawBurst(random, scenario)),
      ];
    default:
      return drawSuspension(random, scenario);
  }
}

function drawSuspension(random: Random, scenario: Scenario): Step[] {
  const events = random.pick([0, 4, 40, 200]);
  const held = unhidden(drawBurst(random, scenario));
  return [{ kind: 'suspend', events }, ...held, { kind: 'resume', events: random.pick([0, 10]) }];
}

function drawEmpty(random: Random, spare: number, limit: number, keeps: boolean): EmptyStep {
  const events = random.pick([0, 4, 40, 400, 2000]);
  return { kind: 'empty', spare, limit, acceptsLoss: random.chance(1, 2), keeps, events };
}

function drawChange(random: Random, change: ChangeSparesStep['change'], spare: number): ChangeSparesStep {
  const how = random.pick(['kill', 'powerCut', 'stop', 'stop'] as const);
  const step = { kind: 'spares', how, change, spare } as const;
  return random.chance(1, 2) ? step : { ...step, interruption: drawInterruption(random) };
}

function drawInterruption(random: Random): SpareInterruption {
  return {
    phase: random.pick(['before', 'change', 'change', 'after'] as const),
    how: random.pick(['kill', 'powerCut', 'powerCut'] as const),
    events: 1 + random.below(random.pick([10, 60, 200])),
  };
}

/** What hides must not be taken for damage that a command has left; see docs/fault-model.md. */
function unhidden(steps: readonly Step[]): Step[] {
  return steps.map((step) => (step.kind === 'crash' ? { ...step, hides: false } : step));
}
