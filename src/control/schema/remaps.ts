import { z } from 'zod';
import { REMAP_REASONS } from '../../runtime/remap-report.js';
import { wholeNumber } from './whole-number.js';

export const remapSchema = z
  .object({
    mainUnit: wholeNumber,
    mainSector: wholeNumber.describe('first sector (512 bytes) of the unit on the main device'),
    sectorCount: wholeNumber,
    spareIndex: wholeNumber,
    spareSector: wholeNumber.describe('first sector on that spare'),
    reason: z.enum(REMAP_REASONS),
    lostSectors: z
      .array(wholeNumber)
      .readonly()
      .describe('first sectors of logical blocks whose contents are gone'),
    errorCount: wholeNumber,
    timeSeconds: z.number().describe('when it was moved, since 1970'),
  })
  .meta({ id: 'Remap' });

export const remapPageSchema = z
  .object({
    version: z.literal(1),
    remaps: z.array(remapSchema).readonly(),
    nextSpareUnit: wholeNumber.nullable().describe('`from` of the next request; null: that was all'),
  })
  .meta({ id: 'RemapPage' });

export const remapQuerySchema = z.object({
  from: z.coerce.number().int().nonnegative().default(0).describe('nextSpareUnit of the part before'),
  limit: z.coerce.number().int().min(1).max(10_000).default(1000),
  lost: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true')
    .describe('only units with lost blocks'),
});

const sectorRange = {
  firstSector: wholeNumber.describe('of the main device; whole units are meant'),
  sectorCount: z.int().min(1).default(1),
};

export const moveSchema = z.object({
  ...sectorRange,
  place: z
    .object({ spareIndex: wholeNumber.default(0), spareSector: wholeNumber })
    .optional()
    .describe('where the first unit goes, the others behind it; by itself any place'),
});

export const giveBackSchema = z.object(sectorRange);

export const handReportSchema = z
  .object({
    doneCount: wholeNumber.describe('units that have another place now'),
    alreadyCount: wholeNumber.describe('units that were where they should be'),
    refusals: z
      .array(
        z.object({
          mainSector: wholeNumber,
          reason: z.string(),
          failure: z
            .enum(['refused', 'io'])
            .describe(
              'io: a device did not take part; refused: nothing failed, but it can not be done as things are',
            ),
        }),
      )
      .readonly()
      .describe('units that stay where they were'),
  })
  .meta({ id: 'HandReport' });

export type HandReportResource = z.infer<typeof handReportSchema>;
export type RemapResource = z.infer<typeof remapSchema>;
export type RemapPageResource = z.infer<typeof remapPageSchema>;
