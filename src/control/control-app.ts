import type { FastifyError } from 'fastify';
import { DmRemapError } from '../library/errors.js';
import { type ControlApp, emptyApp } from './empty-app.js';
import { HTTP_STATUS } from './http-status.js';
import { NotFound } from './not-found.js';
import { addDeviceRoutes } from './routes/device.js';
import { addEvacuationRoutes } from './routes/evacuation.js';
import { addEventRoutes } from './routes/events.js';
import { addJobRoutes } from './routes/jobs.js';
import { addMessageRoutes } from './routes/message.js';
import { addMetadataRoutes } from './routes/metadata.js';
import { addRemapRoutes } from './routes/remaps.js';
import { addSettingRoutes } from './routes/settings.js';
import { addSpareRoutes } from './routes/spares.js';
import type { ServedSet } from './served-set.js';

/**
 * The resource tree of one set at work, as HTTP with JSON. The same schemas check what comes in, shape what goes out, and are
 * described at /v1/openapi.json.
 */
export async function controlApp(set: ServedSet): Promise<ControlApp> {
  const app = emptyApp();
  app.setErrorHandler<FastifyError>((error, _request, reply) => {
    const { failure, message } = failureOf(error);
    return reply.code(HTTP_STATUS[failure]).send({ error: { failure, message } });
  });
  // What has nothing but defaults need not be sent.
  app.addHook('preValidation', async (request) => {
    request.body ??= {};
  });
  app.addHook('onResponse', async ({ method, url }, { statusCode }) =>
    set.settings.requestAnswered(`${method} ${url}: ${statusCode}`),
  );
  app.setNotFoundHandler((request, reply) =>
    reply.code(HTTP_STATUS.notFound).send({
      error: { failure: 'notFound', message: `${request.method} ${request.url}: no such resource` },
    }),
  );
  const addRoutes = (to: ControlApp): void => {
    for (const add of [
      addDeviceRoutes,
      addRemapRoutes,
      addSpareRoutes,
      addEvacuationRoutes,
      addJobRoutes,
      addMetadataRoutes,
      addSettingRoutes,
      addMessageRoutes,
      addEventRoutes,
    ])
      add(to, set);
  };
  addRoutes(app);
  app.get('/v1/openapi.json', async () => (await import('./openapi-document.js')).openApiDocument(addRoutes));
  await app.ready();
  return app;
}

function failureOf(error: unknown): { failure: keyof typeof HTTP_STATUS; message: string } {
  if (error instanceof DmRemapError) return error;
  if (error instanceof NotFound) return { failure: 'notFound', message: error.message };
  const { statusCode, message } = error as FastifyError;
  // What fastify itself refuses: a body that is no JSON, a query that the schema does not take.
  if (statusCode !== undefined && statusCode < 500) return { failure: 'usage', message };
  return { failure: 'bug', message };
}
