import { expect, test } from 'vitest';
import { type Scenario, scenario } from '../scenario.js';
import { type Choice, jobsOf } from './jobs.js';

const SUITE: Choice = { kernels: ['6.12', '6.18'], frontend: undefined, isSuite: true };

function found(notInSuite: Scenario['notInSuite'], further: Partial<Scenario> = {}) {
  const both = { kernels: ['6.12', '6.18'], frontends: ['ublk', 'nbd'] } as const;
  const steps = { main: async () => {} };
  const description = { name: 'one', about: 'About one.', ...both, steps };
  const one = scenario({ ...description, ...(notInSuite && { notInSuite }), ...further });
  return [{ scenario: one, modulePath: '/one.js' }];
}

function runs(notInSuite: Scenario['notInSuite'], choice: Choice): string[] {
  return jobsOf(found(notInSuite), choice).jobs.map(({ kernel, frontends }) => `${kernel} ${frontends}`);
}

test('The suite runs everything that is not left out, and says why it leaves out what it does', () => {
  expect(runs(undefined, SUITE)).toEqual(['6.12 ublk,nbd', '6.18 ublk,nbd']);
  const parts = { '6.12': 'is slow', '6.18 nbd': 'is the same' };
  expect(runs(parts, SUITE)).toEqual(['6.18 ublk']);
  expect(jobsOf(found(parts), SUITE).leftOut).toEqual([
    'one left out on 6.12: is slow',
    'one left out on 6.18 nbd: is the same',
  ]);
  expect(jobsOf(found('is long'), SUITE)).toEqual({ jobs: [], leftOut: ['one left out: is long'] });
});

test('What is named runs whole, on the kernel and the frontend that are wanted', () => {
  const named = { ...SUITE, isSuite: false };
  expect(runs({ '6.12': 'is slow', '6.18 nbd': 'is the same' }, named)).toEqual([
    '6.12 ublk,nbd',
    '6.18 ublk,nbd',
  ]);
  expect(runs('is long', { ...named, kernels: ['6.18'], frontend: 'nbd' })).toEqual(['6.18 nbd']);
});

test('What may take longest begins first', () => {
  const all = [120, 600, undefined].flatMap((timeoutSeconds) =>
    found(undefined, { kernels: ['6.12'], ...(timeoutSeconds && { timeoutSeconds }) }),
  );
  expect(jobsOf(all, SUITE).jobs.map(({ found: { scenario } }) => scenario.timeoutSeconds)).toEqual([
    600,
    undefined,
    120,
  ]);
});
