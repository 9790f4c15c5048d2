import { answered } from '../answered.js';
import type { ControlApp } from '../empty-app.js';
import {
  begunEvacuationSchema,
  evacuateSchema,
  evacuationSchema,
  replacedMainSchema,
} from '../schema/evacuation.js';
import type { ServedSet } from '../served-set.js';

/**
 * POST /v1/evacuation copies everything to another disk while the set is at work; GET says how far it is, DELETE ends it.
 * POST /v1/evacuation/accept-loss has it not wait for a main device that is gone: what was not copied is lost.
 * When the state is `copied`, POST /v1/evacuation/finish makes that disk the main device: the set is opened anew for it,
 * behind the answer; I/O of a block device waits.
 */
export function addEvacuationRoutes(app: ControlApp, { evacuation }: ServedSet): void {
  const beginRoute = { body: evacuateSchema, response: { 200: begunEvacuationSchema } };
  app.post('/v1/evacuation', { schema: beginRoute }, async ({ body }) => {
    const begun = await evacuation.begin(body);
    return { version: 1 as const, ...begun, evacuation: begun.evacuation ?? null };
  });
  const route = { response: { 200: evacuationSchema } };
  app.get('/v1/evacuation', { schema: route }, async () => ({
    version: 1 as const,
    evacuation: (await evacuation.report()) ?? null,
  }));
  app.post('/v1/evacuation/accept-loss', { schema: route }, async () => ({
    version: 1 as const,
    evacuation: await evacuation.acceptLoss(),
  }));
  app.delete('/v1/evacuation', { schema: route }, async () => ({
    version: 1 as const,
    evacuation: (await evacuation.cancel()) ?? null,
  }));
  const finishRoute = { response: { 200: replacedMainSchema } };
  app.post('/v1/evacuation/finish', { schema: finishRoute }, async (_request, reply) => ({
    version: 1 as const,
    ...(await evacuation.finish(answered(reply.raw))),
  }));
}
