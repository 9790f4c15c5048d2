import swagger from '@fastify/swagger';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { type ControlApp, emptyApp } from './empty-app.js';

/** The description of all routes that `addRoutes` adds, from their schemas. Loaded when somebody asks for it. */
export async function openApiDocument(addRoutes: (app: ControlApp) => void): Promise<object> {
  const app = emptyApp();
  await app.register(swagger, {
    openapi: { openapi: '3.1.0', info: { title: 'dm-remap control socket', version: '1' } },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
  addRoutes(app);
  await app.ready();
  return app.swagger();
}
