import { expect, it } from 'vitest';
import { controlApp } from './control-app.js';
import type { ServedSet } from './served-set.js';

it.each([
  ['/v1/suspend', { flush: true }],
  ['/v1/spares/0/empty', { spareIndex: 0, acceptsLoss: false, toSpareIndex: undefined }],
])('POST %s needs no body: all that it has are defaults', async (url, asked) => {
  const { app, calls } = await world();
  await app.inject({ method: 'POST', url });
  expect(calls).toEqual([asked]);
});

it('Without a body it is said which field is missing', async () => {
  const { app, calls } = await world();
  const answer = await app.inject({ method: 'POST', url: '/v1/evacuation' });
  expect([answer.statusCode, calls]).toEqual([400, []]);
  expect(answer.json()).toMatchObject({
    error: { failure: 'usage', message: expect.stringMatching(/^body\/device /) },
  });
});

/** A set that remembers what it was asked for. */
async function world() {
  const calls: unknown[] = [];
  const remember = async (asked: unknown): Promise<boolean> => {
    calls.push(asked);
    return true;
  };
  const set = {
    device: { suspend: remember },
    jobs: { emptySpare: remember },
    evacuation: { begin: remember },
    settings: { requestAnswered: () => {} },
  };
  return { app: await controlApp(set as unknown as ServedSet), calls };
}
