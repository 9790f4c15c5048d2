import { z } from 'zod';
import { jobSchema } from '../control/schema/jobs.js';
import { inspectAnswer, metadataCheckAnswer, scanAnswer } from './looking-answers.js';

/** What commands answer with `--json`, for those that say what they did; `dmremap schema` publishes them. */

const count = z.int().nonnegative();
const version = z.literal(1);
const setId = z.string().describe('UUID of the set');
const name = z.string().describe('of the set; empty where it has none');

/** Beside the document of the command, or instead of it. Standard error has the message, too. */
const error = z
  .object({
    failure: z.enum(['declined', 'usage', 'device', 'refused', 'metadata', 'io', 'system', 'bug']),
    status: count.describe('exit status'),
    message: z.string().describe('one line'),
  })
  .describe('why the command failed; left out where it did not');

export const failedAnswer = z.object({ version, error });

export const configCheckAnswer = z.object({
  version,
  files: z.array(z.string()).readonly().describe('that were read'),
  sets: z.array(z.string()).readonly().describe('names of the sets that they describe'),
});

export const stopAnswer = z.object({
  version,
  setId,
  name: z.string().nullable().describe('null: a block device was stopped, which does not know it'),
  blockDevice: z.string().nullable().describe('that is gone now; null: it was served over NBD only'),
});

export const removeAnswer = z.object({
  version,
  written: z.boolean().describe('false: --dry-run'),
  sets: z
    .array(
      z.object({
        setId,
        name,
        processId: count.describe('of the process that serves or served it'),
        outcome: z.enum(['removed', 'wouldGo', 'stays']),
        problem: z
          .string()
          .nullable()
          .describe('why it stays, or would; of one that was removed, what was not clean'),
      }),
    )
    .readonly(),
  error: error.optional(),
});

export const createAnswer = z.object({
  version,
  setId,
  name,
  formatted: z.boolean().describe('the spare was blank; false: its set was opened again'),
  processId: count.describe('of the process that serves it'),
  endpoints: z.array(z.object({ kind: z.enum(['ublk', 'nbd']), address: z.string() })).readonly(),
});

export const assembleAnswer = z.object({
  version,
  sets: z
    .array(
      z.object({
        setId,
        name,
        outcome: z.enum(['servedAlready', 'started', 'wouldStart', 'failed']),
        command: z
          .string()
          .nullable()
          .describe('that starts it; null: it is served, or was not to be started'),
        endpoints: z.array(z.string()).readonly().describe('block devices and NBD URIs where it was started'),
        processId: count.nullable().describe('that was started; null: none, or by systemd'),
        problem: z.string().nullable().describe('why it was not started'),
      }),
    )
    .readonly(),
  error: error.optional(),
});

export const forgetAnswer = z.object({
  version,
  name: z.string().nullable().describe('as it was prepared for boot; null: it was not'),
  setId: setId.nullable(),
  written: z.boolean().describe('false: --dry-run'),
  files: z
    .array(z.object({ path: z.string(), outcome: z.enum(['removed', 'absent', 'would go']) }))
    .readonly(),
  wiped: z
    .object({
      spares: z
        .array(z.object({ path: z.string(), sizeBytes: count, model: z.string(), serial: z.string() }))
        .readonly(),
      movedUnits: count.nullable().describe('that lived on spares; null: the map could not be read'),
      missingSpares: count.describe('that were not found, and stay as they are'),
    })
    .nullable()
    .describe('with --wipe, the metadata that was erased'),
});

const device = z.object({
  path: z.string(),
  sizeBytes: count,
  model: z.string(),
  serial: z.string(),
  signature: z.string().nullable().describe('what it holds or held, if that is known'),
});

export const formatAnswer = z.object({
  version,
  written: z.boolean().describe('false: --dry-run'),
  setId: setId.nullable().describe('null: it gets one when it is written'),
  name,
  main: device,
  mainUnusedBytes: count.describe('at the end of an image, less than a logical block; they are not served'),
  spares: z.array(device).readonly(),
  unitBytes: count,
  logicalBlockBytes: count,
  copies: z.array(z.object({ spareIndex: count, offsetBytes: count })).readonly(),
  usableSpareUnits: count.describe('room for bad sectors'),
});

export const leaveAnswer = z.object({
  version,
  setId,
  main: z.string(),
  returnedUnits: count.optional().describe('that came back; left out with --dry-run'),
  movedUnits: count.optional().describe('with --dry-run, that would come back'),
  written: z.literal(false).optional().describe('with --dry-run'),
  interrupted: z
    .literal(true)
    .optional()
    .describe('a signal ended the command; other units are on the spares still'),
});

export const jobsAnswer = z.object({ version, setId, name, jobs: z.array(jobSchema).readonly() });

/** `job pause`, `job resume`, `job cancel`: as it is then. */
export const jobAnswer = z.object({
  version,
  setId,
  name,
  job: jobSchema,
  changed: z.boolean().describe('false: it was so already'),
});

export const migrateAnswer = z.object({
  version,
  written: z.boolean().describe('false: --dry-run, or interrupted before the one was known to be out'),
  setId,
  name,
  from: z.string().describe('the spare that is taken out'),
  to: z.string().describe('the spare that takes its place'),
  movedUnits: count.describe('by the process that ended it; with --dry-run those that would move'),
  unitBytes: count,
  usableSpareUnits: count.describe(
    'room for bad sectors, all spares together; with --dry-run or interrupted before the one is out',
  ),
  interrupted: z.literal(true).optional().describe('a signal ended the command; what it began goes on'),
  job: jobSchema.optional().describe('when interrupted, the moving as it was then, if it had begun'),
});

/** By the words of the command. */
export const ANSWER_SCHEMAS = {
  assemble: assembleAnswer,
  'config check': configCheckAnswer,
  create: createAnswer,
  forget: forgetAnswer,
  format: formatAnswer,
  inspect: inspectAnswer,
  'job cancel': jobAnswer,
  'job pause': jobAnswer,
  'job resume': jobAnswer,
  jobs: jobsAnswer,
  leave: leaveAnswer,
  'metadata check': metadataCheckAnswer,
  migrate: migrateAnswer,
  remove: removeAnswer,
  scan: scanAnswer,
  'spare migrate': migrateAnswer,
  stop: stopAnswer,
} as const;

export type AnswerOf<Words extends keyof typeof ANSWER_SCHEMAS> = z.infer<(typeof ANSWER_SCHEMAS)[Words]>;
