import { z } from 'zod';
import type { ControlApp } from '../empty-app.js';
import { NotFound } from '../not-found.js';
import { failureSchema } from '../schema/failure.js';
import { oneJobSchema } from '../schema/jobs.js';
import {
  giveBackSchema,
  handReportSchema,
  moveSchema,
  remapPageSchema,
  remapQuerySchema,
  remapSchema,
} from '../schema/remaps.js';
import type { ServedSet } from '../served-set.js';

/**
 * GET /v1/remaps, in parts, and GET /v1/remaps/SECTOR: what lives on a spare. POST /v1/remaps moves units by hand, POST
 * /v1/remaps/give-back brings them back; both are answered when that is done. POST /v1/remaps/consolidate begins a job
 * that puts neighbours together, or goes on with it.
 */
export function addRemapRoutes(app: ControlApp, { device, jobs }: ServedSet): void {
  const listSchema = { querystring: remapQuerySchema, response: { 200: remapPageSchema } };
  app.get('/v1/remaps', { schema: listSchema }, async ({ query }) => {
    const { from, limit, lost } = query;
    const page = await device.remaps({ firstSpareUnit: from, limit, onlyLost: lost });
    return { version: 1 as const, ...page };
  });
  const moveRoute = { body: moveSchema, response: { 200: handReportSchema } };
  app.post('/v1/remaps', { schema: moveRoute }, ({ body: { place, ...range } }) =>
    device.moveByHand(range, place),
  );
  const giveBackRoute = { body: giveBackSchema, response: { 200: handReportSchema } };
  app.post('/v1/remaps/give-back', { schema: giveBackRoute }, ({ body }) => device.giveBack(body));
  app.post('/v1/remaps/consolidate', { schema: { response: { 200: oneJobSchema } } }, async () => ({
    version: 1 as const,
    job: await jobs.consolidate(),
  }));
  const oneSchema = { params: sectorSchema, response: { 200: remapSchema, 404: failureSchema } };
  app.get('/v1/remaps/:mainSector', { schema: oneSchema }, async ({ params }) => {
    const remap = await device.remapAt(params.mainSector);
    if (remap === undefined) throw new NotFound(`sector ${params.mainSector} was not moved`);
    return remap;
  });
}

const sectorSchema = z.object({ mainSector: z.coerce.number().int().nonnegative() });
