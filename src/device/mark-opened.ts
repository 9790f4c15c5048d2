import { ERRNO } from '../base/errno.js';
import { Counter, count } from '../engine/counters.js';
import type { Procedure } from '../engine/effect.js';
import type { AssembledSet } from './assemble-set.js';
import { flushSpares } from './flush-spares.js';
import type { MetadataWork } from './metadata-writer.js';
import { repairPages } from './repair-pages.js';
import { repairSuperblock, writeSuperblock } from './write-superblock.js';

/**
 * The first writes to a set: repairs every copy that assembling found wanting (P5; rules R1 to R3 of
 * docs/on-disk-format.md), and says that the set is in use. Answers the number of blocks that were written anew, or a
 * negative errno if the metadata can't be written at all.
 *
 * What was read may lie in a cache only: of a process that was killed. It is made durable first, because what is written
 * now goes over the version before it (rule R0).
 */
export function* markOpened(work: MetadataWork, set: AssembledSet): Procedure<number> {
  const { choice, load } = set;
  const flushed = yield* flushSpares(choice.superblock.spares.keys());
  if (flushed.size === 0) return -ERRNO.EIO;
  if (choice.repairs.length > 0)
    yield* repairSuperblock(
      work,
      choice.repairs.map((repair) => repair.copyIndex),
    );
  const openCount = Math.min(work.state.superblock.openCount + 1, MAX_OPEN_COUNT);
  const errno = yield* writeSuperblock(work, { cleanShutdown: false, openCount });
  const isTwice = choice.needsTwoUpdates || set.dropsCopyPosition;
  const again = errno === 0 && isTwice ? yield* writeSuperblock(work, {}) : errno;
  if (again !== 0) return -again;

  const repairedCount = choice.repairs.length + (yield* repairPages(work, load, set.supersededPages));
  count(work.context.counters, Counter.metadataRepairs, repairedCount);
  return repairedCount;
}

/** It has 32 bits. */
const MAX_OPEN_COUNT = 0xffff_ffff;
