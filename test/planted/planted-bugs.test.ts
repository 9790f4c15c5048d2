import { describe, expect, it } from 'vitest';
import { PLANTED_BUGS } from '../../src/sim/breaks/planted-bugs.js';
import { simulate } from '../sim/simulator.js';

describe('a planted bug', () => {
  it.each(PLANTED_BUGS)('is found: $name', async ({ name, from, seeds }) => {
    const args = ['--seed', String(from), '--seeds', String(seeds)];
    const { status, report, errors } = await simulate([...args, '--break', name]);
    expect(report, errors).toBeDefined();
    expect([status, report?.failedSeed], errors).toEqual([1, expect.any(Number)]);
    const found = String(report!.failedSeed);
    expect(
      (await simulate(['--seed', found])).report?.failedSeed,
      'the seed passes without it',
    ).toBeUndefined();
  });
});
