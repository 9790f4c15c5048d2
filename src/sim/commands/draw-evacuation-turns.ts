import { drawBurst } from '../burst.js';
import type { Step } from '../history.js';
import type { Random } from '../random.js';
import type { Scenario } from '../scenario.js';
import { drawCutOver } from './draw-evacuations.js';

/**
 * Pauses the copying to another disk, or has the main device go away for good while it is under way: behind some of the
 * steps that begin it. `random` is a stream of its own: the other steps stay as they are.
 */
export function drawEvacuationTurns(random: Random, scenario: Scenario, steps: readonly Step[]): Step[] {
  return steps.flatMap((step): Step[] => {
    if (step.kind !== 'evacuate' || random.chance(1, 2)) return [step];
    return [step, ...(random.chance(1, 3) ? drawPause(random, scenario) : drawLoss(random, scenario))];
  });
}

function drawPause(random: Random, scenario: Scenario): Step[] {
  const events = random.pick([0, 4, 40]);
  const resumed: Step[] = random.chance(3, 4) ? [{ kind: 'resumeEvacuation', events }] : [];
  return [{ kind: 'pauseEvacuation', events }, ...drawRequests(random, scenario), ...resumed];
}

function drawLoss(random: Random, scenario: Scenario): Step[] {
  if (scenario.trouble.outages === 0) return [];
  const before = random.pick([0, 4, 20, 60, 400]);
  const after = random.pick([0, 4, 40, 400]);
  return [
    { kind: 'run', events: before, fromMetadataWrite: false },
    { kind: 'vanish', target: 0, isReadable: false },
    ...drawRequests(random, scenario),
    { kind: 'run', events: random.pick([4, 40]), fromMetadataWrite: false },
    { kind: 'acceptLoss', events: after },
    ...drawRequests(random, scenario),
    ...drawLossEnd(random, scenario),
  ];
}

function drawLossEnd(random: Random, scenario: Scenario): Step[] {
  const isBack = random.chance(1, 3);
  const how = random.pick(['inPlace', 'renamed'] as const);
  const back: Step[] = isBack
    ? [{ kind: 'comeBack', target: 0, how, keepTimes: random.pick([0, 4, 8]) }]
    : [];
  return random.chance(1, 2) ? [...back, drawCutOver(random, scenario)] : back;
}

function drawRequests(random: Random, scenario: Scenario): Step[] {
  return drawBurst(random, scenario)
    .filter(({ kind }) => kind === 'request')
    .slice(0, random.pick([0, 2, 8]));
}
