import { drawBurst } from '../burst.js';
import type { HandOverStep, RequestStep, Step } from '../history.js';
import type { Random } from '../random.js';
import type { Scenario } from '../scenario.js';

/**
 * Has clients use a block device, and its process hand it over to the next one now and then. `random` is a stream of its
 * own: the other steps stay as they are.
 */
export function drawHandOvers(random: Random, { scenario, steps }: HandOverPlan): HandOverPlan {
  const withSteps = steps.flatMap((step): Step[] =>
    random.chance(1, 24) ? [step, drawHandOver(random, scenario)] : [step],
  );
  return { scenario: { ...scenario, hasBlockDevice: true }, steps: withSteps };
}

export interface HandOverPlan {
  readonly scenario: Scenario;
  readonly steps: readonly Step[];
}

function drawHandOver(random: Random, scenario: Scenario): HandOverStep {
  const isRequest = (step: Step): step is RequestStep => step.kind === 'request';
  const requests = random.chance(3, 4) ? drawBurst(random, scenario).filter(isRequest) : [];
  const step = { kind: 'handOver', requests } as const;
  if (random.chance(2, 3)) return step;
  const events = random.below(random.pick([4, 40, 200]));
  return { ...step, interruption: { how: random.pick(['kill', 'powerCut'] as const), events } };
}
