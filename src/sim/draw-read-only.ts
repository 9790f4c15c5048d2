import type { Step } from './history.js';
import type { Random } from './random.js';

/**
 * A main device that takes no writes for a while, and may vanish meanwhile: instead of some of the outages of a history, and
 * once more. `random` is a stream of its own: the other steps stay as they are.
 */
export function drawReadOnly(random: Random, steps: readonly Step[]): Step[] {
  const changed = steps.map((step): Step => {
    const isOfMain = step.kind === 'vanish' && step.target === 0;
    return isOfMain ? { ...step, isReadable: random.chance(2, 3) } : step;
  });
  const first = random.below(steps.length);
  const turns = Array.from({ length: 1 + random.below(3) }, (_, turn) => ({
    place: first + turn * (1 + random.below(30)),
    step: { kind: 'vanish', target: 0, isReadable: turn === 0 || random.chance(1, 2) } as const,
  }));
  const comesBack = { kind: 'comeBack', target: 0, how: 'inPlace', keepTimes: 8 } as const;
  const end = { place: turns.at(-1)!.place + random.below(60), step: comesBack };
  // The last one first, so that places mean the same for all.
  for (const { place, step } of [...turns, end].sort((a, b) => b.place - a.place))
    changed.splice(Math.min(place, changed.length), 0, step);
  return changed;
}
