import { z } from 'zod';
import type { ControlApp } from '../empty-app.js';
import { NotFound } from '../not-found.js';
import { failureSchema } from '../schema/failure.js';
import { type JobReport, jobListSchema, oneJobSchema } from '../schema/jobs.js';
import type { ServedSet } from '../served-set.js';

/**
 * GET /v1/jobs: long work that is under way, that rests, or that has ended in this process. POST /v1/jobs/ID/pause and
 * /resume, and DELETE, which gives it up: asked twice they change nothing; what has ended can't be paused
 * or resumed. They are begun where their resource is.
 */
export function addJobRoutes(app: ControlApp, { jobs }: ServedSet): void {
  app.get('/v1/jobs', { schema: { response: { 200: jobListSchema } } }, async () => ({
    version: 1 as const,
    jobs: await jobs.list(),
  }));
  const route = { params: idSchema, response: { 200: oneJobSchema, 404: failureSchema } };
  app.post('/v1/jobs/:id/pause', { schema: route }, async ({ params: { id } }) =>
    found(id, await jobs.pause(id)),
  );
  app.post('/v1/jobs/:id/resume', { schema: route }, async ({ params: { id } }) =>
    found(id, await jobs.resume(id)),
  );
  app.delete('/v1/jobs/:id', { schema: route }, async ({ params: { id } }) =>
    found(id, await jobs.cancel(id)),
  );
}

function found(id: string, job: JobReport | undefined): z.infer<typeof oneJobSchema> {
  if (job === undefined) throw new NotFound(`${id}: no such job`);
  return { version: 1, job };
}

const idSchema = z.object({ id: z.string() });
