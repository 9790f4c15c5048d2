import { z } from 'zod';
import { wholeNumber } from './whole-number.js';

export const evacuateSchema = z.object({
  device: z.string().startsWith('/').describe('absolute path of a block device or an image file'),
  force: z.boolean().default(false).describe('overwrite a device that holds something'),
  dryRun: z.boolean().default(false).describe('only answer what would be done'),
});

/** How far the copying of a set to another disk is. */
export const evacuationReportSchema = z.object({
  path: z.string().describe('of the disk that is to become the main device'),
  state: z
    .enum(['copying', 'copied', 'incomplete', 'failed', 'cancelled'])
    .describe('copied: everything that could be read is there, and what is written goes to both'),
  pass: z
    .enum(['comparing', 'forward', 'backward', 'thorough'])
    .describe(
      'whether what was copied before is still there, if something was; then what is easy to read, around what is bad, and block by block',
    ),
  copiedBytes: wholeNumber,
  everCopiedBytes: wholeNumber.describe('with what has become stale since, and is to be copied again'),
  totalBytes: wholeNumber,
  isWaiting: z.boolean().describe('a device of the set does not answer; it goes on when that is back'),
  isPaused: z.boolean().describe('it rests until somebody resumes it; what is written goes to both'),
  beginning: z
    .enum(['start', 'position', 'differs'])
    .describe(
      'position: an earlier process had copied a part of it, and that is still there; differs: it is not, so all is copied anew',
    ),
  beginningBytes: wholeNumber.describe('copied by an earlier process'),
  unreadableUnits: wholeNumber.describe('that can neither be read nor be remembered as lost'),
  firstUnreadableSector: wholeNumber.nullable(),
  unitsWithLostBlocks: wholeNumber.describe('of the set: these blocks stay errors on the new disk'),
  problem: z.string().nullable().describe('why it does not go on; null where nothing is wrong'),
});

export const evacuationSchema = z
  .object({
    version: z.literal(1),
    evacuation: evacuationReportSchema
      .nullable()
      .describe('null: nothing was copied since the set was opened'),
  })
  .meta({ id: 'Evacuation' });

export const begunEvacuationSchema = z
  .object({
    version: z.literal(1),
    device: z.object({
      path: z.string(),
      sizeBytes: wholeNumber,
      model: z.string(),
      serial: z.string(),
      signature: z.string().nullable().describe('what it holds or held, if that is known'),
    }),
    sizeBytes: wholeNumber.describe('that are copied'),
    evacuation: evacuationReportSchema.nullable().describe('null: it was not begun'),
  })
  .meta({ id: 'BegunEvacuation' });

const diskSchema = z.object({ sizeBytes: wholeNumber, model: z.string(), serial: z.string() });

export const replacedMainSchema = z
  .object({
    version: z.literal(1),
    setId: z.string(),
    name: z.string(),
    before: diskSchema.describe('the main device until now'),
    device: diskSchema.extend({ path: z.string() }).describe('the main device from now on'),
    comparedBlocks: wholeNumber,
    differingBlocks: wholeNumber,
    remappedUnits: wholeNumber.describe('units that live on spares still'),
    unitsWithLostBlocks: wholeNumber,
  })
  .meta({ id: 'ReplacedMain' });

export type EvacuationResource = z.infer<typeof evacuationSchema>;
export type BegunEvacuationResource = z.infer<typeof begunEvacuationSchema>;
export type ReplacedMainResource = z.infer<typeof replacedMainSchema>;
