import { z } from 'zod';

/** A whole number from 0 to 2^53 - 1: units, sectors, bytes, counts. */
export const wholeNumber = z.int().nonnegative();
