import fastify from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';

/** Without routes: these get their types, and what checks requests and shapes answers, from zod schemas. */
export function emptyApp() {
  const compilersFactory = { buildValidator: notLoaded, buildSerializer: notLoaded };
  return fastify({ forceCloseConnections: true, schemaController: { compilersFactory } })
    .setValidatorCompiler(validatorCompiler)
    .setSerializerCompiler(serializerCompiler)
    .withTypeProvider<ZodTypeProvider>();
}

/** In place of fastify's own compilers, which are large and would be loaded although others are set. */
function notLoaded(): never {
  throw new Error('fastify asked for its own schema compilers');
}

export type ControlApp = ReturnType<typeof emptyApp>;
