import { ERRNO } from '../base/errno.js';
import { MAIN, type Procedure } from '../engine/effect.js';
import { flushAll } from '../engine/flush-all.js';
import type { MetadataWork } from './metadata-writer.js';
import { sampleContent } from './sample-content.js';
import { settlePages } from './settle-pages.js';
import { writeSuperblock } from './write-superblock.js';

/**
 * The last writes to a set: everything is flushed, then the superblock says that it was stopped cleanly, with samples
 * of the main device that tell later whether it was changed behind our back. Answers 0 or a negative errno; after an
 * error the set is opened next time as after a crash.
 */
export function* markClosed(work: MetadataWork): Procedure<number> {
  const { context } = work;
  const flushed = yield* flushAll(context);
  const { breaker, isMainReadOnly } = context;
  if (flushed !== 0 || (isMainReadOnly ? breaker.stopsReads : breaker.isOpen)) return -ERRNO.EIO;
  if (!(yield* settlePages(work))) return -ERRNO.EIO;
  const { mainSizeBytes, unitBytes } = context.shape;
  const isOnSpare = (_index: number, offsetBytes: number): boolean =>
    context.table.find(Math.floor(offsetBytes / unitBytes)) !== -1;
  // After a flush that failed a cache may show what the disk has dropped, and the next start would see another disk.
  const skips = context.flushFailuresOf(MAIN) > 0 ? (): boolean => true : isOnSpare;
  const contentSample = yield* sampleContent(mainSizeBytes, work.memory, work.bufferOffset, skips);
  return -(yield* writeSuperblock(work, { cleanShutdown: true, contentSample }));
}
