import { z } from 'zod';
import { wholeNumber } from './whole-number.js';

export const eventSchema = z
  .object({
    id: wholeNumber.describe('grows by one; begins again at 1 with each process'),
    timeMs: z.number().describe('since 1970'),
    level: z.enum(['info', 'warn', 'error']),
    event: z.string().describe('stable name'),
    message: z.string().describe('one line for a person'),
    details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  })
  .meta({ id: 'Event' });

export const eventListSchema = z
  .object({ version: z.literal(1), events: z.array(eventSchema).readonly() })
  .meta({ id: 'EventList' });

export const eventQuerySchema = z.object({
  after: z.coerce.number().int().nonnegative().default(0).describe('only events after the one with this id'),
});

export type EventListResource = z.infer<typeof eventListSchema>;
