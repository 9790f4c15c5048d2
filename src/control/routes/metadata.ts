import { z } from 'zod';
import type { ControlApp } from '../control-app.js';
import { wholeNumber } from '../schema/common.js';
import type { ServedSet } from '../served-set.js';

/** POST /v1/metadata/scrub: all copies are compared and repaired; answered when that is done. */
export function addMetadataRoutes(app: ControlApp, { device }: ServedSet): void {
  app.post('/v1/metadata/scrub', { schema: { response: { 200: scrubSchema } } }, () =>
    device.scrubMetadata(),
  );
}

const scrubSchema = z
  .object({
    pageCount: wholeNumber.describe('pages of the map that were compared'),
    repairedBlocks: wholeNumber.describe('damaged or stale in some copy, and written anew'),
  })
  .meta({ id: 'ScrubReport' });
