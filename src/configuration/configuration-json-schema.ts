import { z } from 'zod';
import { configurationSchema } from './configuration-schema.js';

/** Of a configuration file, as editors use it. NBD URIs are texts in it; only dm-remap itself looks into them. */
export function configurationJsonSchema(): object {
  return z.toJSONSchema(configurationSchema, { io: 'input' });
}
