import { z } from 'zod';
import { wholeNumber } from './whole-number.js';

export const addSpareSchema = z.object({
  device: z.string().startsWith('/').describe('absolute path of a block device or an image file'),
  force: z.boolean().default(false).describe('overwrite a device that holds something'),
  dryRun: z.boolean().default(false).describe('only answer what would be done'),
});

const leftToStart = z
  .string()
  .optional()
  .describe(
    'why what comes after the change has failed: not all copies of the map are as they should be, and the next start makes up for it; left out: nothing is left',
  );

export const addedSpareSchema = z
  .object({
    version: z.literal(1),
    setId: z.string(),
    name: z.string(),
    device: z.object({
      path: z.string(),
      sizeBytes: wholeNumber,
      model: z.string(),
      serial: z.string(),
      signature: z.string().nullable().describe('what it holds or held, if that is known'),
    }),
    spareIndex: wholeNumber.describe('of the new spare'),
    unitBytes: wholeNumber,
    usableSpareUnitsBefore: wholeNumber,
    usableSpareUnits: wholeNumber.describe('room for bad sectors, all spares together'),
    leftToStart,
  })
  .meta({ id: 'AddedSpare' });

export const emptySpareSchema = z.object({
  acceptsLoss: z
    .boolean()
    .default(false)
    .describe('blocks that the spare does not give any more are lost; else their units stay'),
  toSpareIndex: wholeNumber
    .optional()
    .describe('units go there while it takes them; left out: as the allocation policy says'),
});

export const spareUseSchema = z
  .object({
    version: z.literal(1),
    spares: z
      .array(
        z.object({
          livingUnits: wholeNumber,
          freeUnits: wholeNumber.describe('places that could take a unit, also where it takes none now'),
          isLeaving: z.boolean().describe('it is being emptied, or is empty'),
          takesUnits: z
            .boolean()
            .describe('false: it is leaving, is full, or refused the last unit that was to be moved there'),
        }),
      )
      .readonly()
      .describe('by spare index'),
  })
  .meta({ id: 'SpareUse' });

export const removedSpareSchema = z
  .object({
    version: z.literal(1),
    setId: z.string(),
    name: z.string(),
    path: z.string().describe('of the device that is no spare any more'),
    unitBytes: wholeNumber,
    usableSpareUnits: wholeNumber.describe('room for bad sectors, all spares that are left together'),
    leftToStart,
  })
  .meta({ id: 'RemovedSpare' });

export type SpareUseResource = z.infer<typeof spareUseSchema>;
export type RemovedSpareResource = z.infer<typeof removedSpareSchema>;
export type AddSpareResource = z.infer<typeof addedSpareSchema>;
