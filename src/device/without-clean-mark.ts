import type { Procedure } from '../engine/effect.js';
import type { MetadataWork } from './metadata-writer.js';
import { settlePages } from './settle-pages.js';
import { writeSuperblock } from './write-superblock.js';

/**
 * Runs what writes pages while no device is at work; the mark of a clean stop goes before and comes back after it. A power
 * cut may leave versions on every copy that can't be judged, and on a set that is marked those mean that the newest was
 * lost. Nor does it come back where writes that failed have left it so. Answers 0 or a positive errno; after an error the
 * set counts as not stopped cleanly.
 */
export function* withoutCleanMark(work: MetadataWork, body: Procedure<number>): Procedure<number> {
  if (!work.state.superblock.cleanShutdown) return yield* body;
  const removed = yield* writeSuperblock(work, { cleanShutdown: false });
  const result = removed === 0 ? yield* body : removed;
  if (result !== 0 || !(yield* settlePages(work))) return result;
  return yield* writeSuperblock(work, { cleanShutdown: true });
}
