import { describe, expect, it } from 'vitest';
import { commitSeed } from './commit-seed.js';
import { simulate } from './simulator.js';

/** What `npm run sim` would say of a failure, so that the seed is in the report of the test. */
async function failureOf(args: readonly string[]): Promise<string | undefined> {
  const { status, report, errors } = await simulate(args);
  if (status === 0) return undefined;
  return `seed ${report?.failedSeed}: ${report?.check}: ${report?.message} ${report === undefined ? errors : ''}`;
}

describe('the simulator', () => {
  it.concurrent('finds nothing with fixed seeds', async ({ expect }) => {
    expect(await failureOf(['--seed', '1', '--minutes', '0.75', '--seeds', '2000'])).toBeUndefined();
  });

  it.concurrent('finds nothing with other fixed seeds', async ({ expect }) => {
    expect(await failureOf(['--seed', '500001', '--minutes', '0.75', '--seeds', '2000'])).toBeUndefined();
  });

  it.concurrent('finds nothing with seeds that are new with this commit', async ({ expect }) => {
    const seed = String(commitSeed());
    expect(await failureOf(['--seed', seed, '--minutes', '0.75', '--seeds', '1000'])).toBeUndefined();
  });

  it('does the same again for the same seed, to the last disk I/O', async () => {
    const [one, other] = await Promise.all([simulate(['--seed', '77']), simulate(['--seed', '77'])]);
    const counts = (outcome: typeof one) => (outcome.report as { readonly statistics?: object }).statistics;
    expect(counts(one)).toBeDefined();
    expect(counts(one)).toEqual(counts(other));
  });

  it('refuses what it does not understand with status 2', async () => {
    expect((await simulate(['--seed', 'many'])).status).toBe(2);
    expect((await simulate(['--break', 'nothing-of-ours'])).status).toBe(2);
  });
});
