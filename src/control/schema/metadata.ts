import { z } from 'zod';
import { wholeNumber } from './whole-number.js';

export const scrubSchema = z
  .object({
    pageCount: wholeNumber.describe('pages of the map that were compared'),
    repairedBlocks: wholeNumber.describe('damaged or stale in some copy, and written anew'),
  })
  .meta({ id: 'ScrubReport' });

export type ScrubResource = z.infer<typeof scrubSchema>;
