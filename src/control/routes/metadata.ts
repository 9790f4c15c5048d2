import type { ControlApp } from '../empty-app.js';
import { scrubSchema } from '../schema/metadata.js';
import type { ServedSet } from '../served-set.js';

/** POST /v1/metadata/scrub: all copies are compared and repaired; answered when that is done. */
export function addMetadataRoutes(app: ControlApp, { device }: ServedSet): void {
  app.post('/v1/metadata/scrub', { schema: { response: { 200: scrubSchema } } }, () =>
    device.scrubMetadata(),
  );
}
