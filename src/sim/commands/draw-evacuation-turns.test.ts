import { describe, expect, it } from 'vitest';
import { describeStep } from '../describe-step.js';
import { planOf } from '../run-seed.js';

const TURNS: readonly string[] = ['pauseEvacuation', 'resumeEvacuation', 'acceptLoss'];

describe('pauses and a disk that goes for good while everything is copied', () => {
  it('come in some of the runs that copy, each with a line for people, and only behind a beginning', () => {
    const plans = Array.from({ length: 400 }, (_, index) => planOf(index + 1).steps);
    const turns = plans.flat().filter(({ kind }) => TURNS.includes(kind));
    expect(new Set(turns.map(({ kind }) => kind))).toEqual(new Set(TURNS));
    for (const turn of turns) expect(describeStep(turn)).toMatch(/the copying|given up/);
    for (const steps of plans) {
      const first = steps.findIndex(({ kind }) => TURNS.includes(kind));
      if (first !== -1) expect(steps.slice(0, first).some(({ kind }) => kind === 'evacuate')).toBe(true);
    }
  });
});
