import { z } from 'zod';

/** What every failed request is answered with. */
export const failureSchema = z
  .object({
    error: z.object({
      failure: z
        .string()
        .describe('the class, which decides the exit status of a command (docs/exit-codes.md)'),
      message: z.string().describe('one line: what, where, what to do'),
    }),
  })
  .meta({ id: 'Failure' });
