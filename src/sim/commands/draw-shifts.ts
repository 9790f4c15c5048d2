import { drawBurst } from '../burst.js';
import type { Step } from '../history.js';
import type { Random } from '../random.js';
import type { Scenario } from '../scenario.js';
import type { ShiftStep } from './shift-step.js';

/**
 * Puts moves from one place on the spares to another between the steps of a history. `random` is a stream of its own: the
 * other steps stay as they are.
 */
export function drawShifts(random: Random, scenario: Scenario, steps: readonly Step[]): Step[] {
  return steps.flatMap((step): Step[] => {
    const isNearTrouble = step.kind === 'bad';
    return random.chance(1, isNearTrouble ? 3 : 14) ? [step, ...drawGroup(random, scenario)] : [step];
  });
}

/** One or some, alone, in a crowd of requests, or cut off. */
function drawGroup(random: Random, scenario: Scenario): Step[] {
  const shifts = Array.from({ length: random.pick([1, 1, 2, 6]) }, () => drawShift(random));
  switch (random.below(3)) {
    case 0:
      return shifts;
    case 1:
      return [...shifts, ...drawBurst(random, scenario).map(unhidden)];
    default:
      return [
        ...shifts,
        { kind: 'run', events: random.below(30), fromMetadataWrite: random.chance(1, 2) },
        {
          kind: 'crash',
          how: random.pick(['kill', 'powerCut', 'powerCut'] as const),
          intruder: 'none',
          hides: false,
          interruptions: [],
        },
      ];
  }
}

function drawShift(random: Random): ShiftStep {
  const place = random.below(random.pick([64, 512]));
  return { kind: 'shift', unit: random.below(4096), place, events: random.pick([0, 0, 1, 4, 40, 200]) };
}

/** What hides must not be taken for damage that a command has left; see docs/fault-model.md. */
function unhidden(step: Step): Step {
  return step.kind === 'crash' ? { ...step, hides: false } : step;
}
