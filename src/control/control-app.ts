import swagger from '@fastify/swagger';
import fastify, { type FastifyError } from 'fastify';
import {
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import { DmRemapError } from '../library/errors.js';
import { HTTP_STATUS } from './http-status.js';
import { NotFound } from './not-found.js';
import { addDeviceRoutes } from './routes/device.js';
import { addEventRoutes } from './routes/events.js';
import { addMetadataRoutes } from './routes/metadata.js';
import { addRemapRoutes } from './routes/remaps.js';
import type { ServedSet } from './served-set.js';

/**
 * The resource tree of one set at work, as HTTP with JSON. The same schemas check what comes in, shape what goes out, and are
 * described at /v1/openapi.json.
 */
export async function controlApp(set: ServedSet): Promise<ControlApp> {
  const app = emptyApp();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler<FastifyError>((error, _request, reply) => {
    const { failure, message } = failureOf(error);
    return reply.code(HTTP_STATUS[failure]).send({ error: { failure, message } });
  });
  app.setNotFoundHandler((request, reply) =>
    reply.code(HTTP_STATUS.notFound).send({
      error: { failure: 'notFound', message: `${request.method} ${request.url}: no such resource` },
    }),
  );
  await app.register(swagger, {
    openapi: { openapi: '3.1.0', info: { title: 'dm-remap control socket', version: '1' } },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
  for (const add of [addDeviceRoutes, addRemapRoutes, addMetadataRoutes, addEventRoutes]) add(app, set);
  app.get('/v1/openapi.json', { schema: { hide: true } }, () => app.swagger());
  await app.ready();
  return app;
}

export type ControlApp = ReturnType<typeof emptyApp>;

function emptyApp() {
  return fastify({ forceCloseConnections: true }).withTypeProvider<ZodTypeProvider>();
}

function failureOf(error: unknown): { failure: keyof typeof HTTP_STATUS; message: string } {
  if (error instanceof DmRemapError) return error;
  if (error instanceof NotFound) return { failure: 'notFound', message: error.message };
  const { statusCode, message } = error as FastifyError;
  // What fastify itself refuses: a body that is no JSON, a query that the schema does not take.
  if (statusCode !== undefined && statusCode < 500) return { failure: 'usage', message };
  return { failure: 'bug', message };
}
