import { z } from 'zod';
import { answered } from '../answered.js';
import type { ControlApp } from '../empty-app.js';
import { oneJobSchema } from '../schema/jobs.js';
import {
  addedSpareSchema,
  addSpareSchema,
  emptySpareSchema,
  removedSpareSchema,
  spareUseSchema,
} from '../schema/spares.js';
import type { ServedSet } from '../served-set.js';

/**
 * GET /v1/spares says what lives where. POST /v1/spares makes a device the next spare. POST /v1/spares/N/empty begins a job
 * that moves everything from spare N to the others, or goes on with it; nothing new is placed there until POST
 * /v1/spares/N/keep, whatever happens to the process. DELETE /v1/spares/N takes an empty one out of the set. After adding and removing the set is opened anew, behind the answer; I/O of a block device waits.
 */
export function addSpareRoutes(app: ControlApp, { device, spares, jobs }: ServedSet): void {
  app.get('/v1/spares', { schema: { response: { 200: spareUseSchema } } }, async () => ({
    version: 1 as const,
    spares: await device.spareUse(),
  }));
  const addRoute = { body: addSpareSchema, response: { 200: addedSpareSchema } };
  app.post('/v1/spares', { schema: addRoute }, async ({ body }, reply) => ({
    version: 1 as const,
    ...(await spares.add(body, answered(reply.raw))),
  }));
  const emptyRoute = { params: indexSchema, body: emptySpareSchema, response: { 200: oneJobSchema } };
  app.post('/v1/spares/:spareIndex/empty', { schema: emptyRoute }, async ({ params, body }) => ({
    version: 1 as const,
    job: await jobs.emptySpare({ ...params, ...body, toSpareIndex: body.toSpareIndex }),
  }));
  const keepRoute = { params: indexSchema, response: { 200: z.object({ version: z.literal(1) }) } };
  app.post('/v1/spares/:spareIndex/keep', { schema: keepRoute }, async ({ params }) => {
    await jobs.keepSpare(params.spareIndex);
    return { version: 1 as const };
  });
  const removeRoute = { params: indexSchema, response: { 200: removedSpareSchema } };
  app.delete('/v1/spares/:spareIndex', { schema: removeRoute }, async ({ params }, reply) => ({
    version: 1 as const,
    ...(await spares.remove(params.spareIndex, answered(reply.raw))),
  }));
}

const indexSchema = z.object({ spareIndex: z.coerce.number().int().nonnegative() });
