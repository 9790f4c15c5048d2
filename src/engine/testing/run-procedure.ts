import { assert } from '../../base/assert.js';
import type { Effect, Procedure } from '../effect.js';

/** Runs a procedure to its end, each effect answered at once; effects of an `all` are answered one by one. */
export function runProcedure<Value>(procedure: Procedure<Value>, answer: EffectAnswer): RunOutcome<Value> {
  const effects: Effect[] = [];
  const perform = (effect: Effect): unknown => {
    if (effect.kind === 'all') return effect.effects.map(perform);
    effects.push(effect);
    return answer(effect);
  };
  let step = procedure.next(undefined);
  while (step.done !== true) {
    assert(effects.length < MAX_EFFECTS, 'a procedure ends');
    step = procedure.next(perform(step.value));
  }
  return { value: step.value, effects };
}

/** What the world does with one effect, in the terms of `Effect`. */
export type EffectAnswer = (effect: Exclude<Effect, { kind: 'all' }>) => number;

export interface RunOutcome<Value> {
  readonly value: Value;
  /** Everything that was asked for, in order. */
  readonly effects: readonly Effect[];
}

const MAX_EFFECTS = 10_000;
