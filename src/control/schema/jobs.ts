import { z } from 'zod';
import { wholeNumber } from './whole-number.js';

/** Long work of the process that serves a set, or of the next one. */
export const jobSchema = z
  .object({
    id: z.string().describe('stays the same when another process goes on with it'),
    kind: z.enum(['evacuation', 'emptySpare', 'consolidate']),
    path: z
      .string()
      .nullable()
      .describe('of the spare that is emptied, or of the disk that everything is copied to'),
    spareIndex: wholeNumber.nullable().describe('of the spare that is emptied'),
    state: z.enum(['running', 'paused', 'done', 'failed', 'cancelled']),
    isWaiting: z.boolean().describe('a device is away, or the set suspended; it goes on afterwards'),
    isComparing: z
      .boolean()
      .describe(
        'an evacuation: whether what an earlier process had copied is still there; it goes on afterwards',
      ),
    progress: z
      .object({
        done: wholeNumber.describe('by this process'),
        total: wholeNumber,
        unit: z.enum(['bytes', 'units', 'runs']).describe('runs of units that are neighbours'),
        perSecond: z.number().nullable().describe('null: not known yet'),
        secondsLeft: wholeNumber.nullable(),
      })
      .describe('an evacuation that no process has begun again yet has a total of 0'),
    movedUnits: wholeNumber.describe('by this process; 0 for an evacuation'),
    refusals: z
      .array(z.object({ mainSector: wholeNumber, reason: z.string() }))
      .readonly()
      .describe('units that stay where they are, as of the last part of the work'),
    problem: z.string().nullable().describe('why it failed, or why it rests; null where nothing is wrong'),
  })
  .meta({ id: 'Job' });

export const oneJobSchema = z.object({ version: z.literal(1), job: jobSchema }).meta({ id: 'OneJob' });

export const jobListSchema = z
  .object({ version: z.literal(1), jobs: z.array(jobSchema).readonly() })
  .meta({ id: 'JobList' });

export type JobReport = z.infer<typeof jobSchema>;
