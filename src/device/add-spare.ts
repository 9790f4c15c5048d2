import { ERRNO } from '../base/errno.js';
import type { Effect, Procedure } from '../engine/effect.js';
import { perform, performAll, spareTarget } from '../engine/effect.js';
import {
  ANCHOR_BYTES,
  type CopyLayout,
  type Layout,
  MAX_COPIES,
  MAX_SEQUENCE,
  METADATA_PAGE_BYTES,
  regionBytes,
  superblockAnchors,
  superblockOffsetBytes,
} from '../format/layout.js';
import { featuresWith, type Superblock } from '../format/superblock.js';
import { flushSpares } from './flush-spares.js';
import { MAX_COMMIT_PAGES } from './limits.js';
import type { MetadataWork } from './metadata-writer.js';
import { superblockWrite } from './write-superblock.js';

/**
 * Makes a device the next spare of a set that is not at work (rule W10 of docs/on-disk-format.md). The superblock that
 * speaks of it goes to the new spare first; the set has it from when one of the older copies holds that superblock, too.
 * The pages of the map follow as repairs. `layout`: of `planAddedSpare`. Answers 0 or an errno: EIO if the set may be
 * without it.
 */
export function* addSpare(work: MetadataWork, layout: Layout, uuid: Uint8Array): Procedure<number> {
  const { superblock } = work.state;
  if (superblock.sequence + 1 > MAX_SEQUENCE) return ERRNO.EOVERFLOW;
  const next = superblockWith(superblock, layout, uuid, yield* perform({ kind: 'wallClock' }));
  const added = superblock.spares.length;
  const old = superblock.spares.keys();
  // What was read may lie in a cache only, of a process that was killed (rule R0).
  if ((yield* flushSpares(old)).size < superblock.spares.length) return ERRNO.EIO;
  if (!(yield* wipe(work, next, added))) return ERRNO.EIO;
  const indexes = [...next.copies.keys()];
  const isOwn = (copyIndex: number): boolean => next.copies[copyIndex]!.spareIndex === added;
  const own = indexes.filter(isOwn);
  if ((yield* writeCopies(work, next, own)).length < own.length) return ERRNO.EIO;
  const others = indexes.filter((copyIndex) => !isOwn(copyIndex));
  if ((yield* writeCopies(work, next, others)).length === 0) return ERRNO.EIO;
  yield* zeroFormerPlaces(work, superblock, next);
  return 0;
}

function superblockWith(
  before: Superblock,
  layout: Layout,
  uuid: Uint8Array,
  updatedSeconds: number,
): Superblock {
  const spares = layout.spares.map(
    (spare, index) => before.spares[index] ?? { ...spare, uuid, initialisedPageCount: 0 },
  );
  const features = featuresWith(before.features, layout);
  return { ...before, ...layout, spares, features, sequence: before.sequence + 1, updatedSeconds };
}

/** Nothing may be found on it: neither a superblock nor, if it was part of this set before, a page of the map. */
function* wipe(work: MetadataWork, next: Superblock, spareIndex: number): Procedure<boolean> {
  const anchors = superblockAnchors(next.spares[spareIndex]!.sizeBytes);
  for (const offsetBytes of anchors)
    if (!(yield* zero(work, spareIndex, offsetBytes, METADATA_PAGE_BYTES))) return false;
  for (const copy of next.copies) {
    if (copy.spareIndex !== spareIndex) continue;
    if (!(yield* zero(work, spareIndex, copy.offsetBytes, regionBytes(copy.pageCapacity)))) return false;
  }
  return (yield* flushSpares([spareIndex])).size === 1;
}

function* zero(
  work: MetadataWork,
  spareIndex: number,
  offsetBytes: number,
  lengthBytes: number,
): Procedure<boolean> {
  const memoryOffset = work.bufferOffset;
  work.memory.bytes.fill(0, memoryOffset, memoryOffset + ZEROES_BYTES);
  for (let done = 0; done < lengthBytes; done += ZEROES_BYTES) {
    const result = yield* perform({
      kind: 'write',
      target: spareTarget(spareIndex),
      offsetBytes: offsetBytes + done,
      lengthBytes: Math.min(ZEROES_BYTES, lengthBytes - done),
      memoryOffset,
    });
    if (result < 0) return false;
  }
  return true;
}

/** Those of the copies that hold the superblock now, for good. */
function* writeCopies(
  work: MetadataWork,
  superblock: Superblock,
  copyIndexes: readonly number[],
): Procedure<readonly number[]> {
  const results = yield* performAll(
    copyIndexes.map((copyIndex) => superblockWrite(work, superblock, copyIndex)),
  );
  const written = copyIndexes.filter((_, nth) => results[nth]! >= 0);
  const spareOf = (copyIndex: number): number => superblock.copies[copyIndex]!.spareIndex;
  const flushed = yield* flushSpares(written.map(spareOf));
  return written.filter((copyIndex) => flushed.has(spareOf(copyIndex)));
}

/** Where a copy was that the new spare has taken over lies an older superblock: harmless, and gone if the spare takes it. */
function* zeroFormerPlaces(work: MetadataWork, before: Superblock, next: Superblock): Procedure<void> {
  const isFormer = (copy: CopyLayout, index: number): boolean =>
    copy.spareIndex !== next.copies[index]!.spareIndex;
  const former = before.copies.filter(isFormer);
  work.memory.bytes.fill(0, work.bufferOffset, work.bufferOffset + ANCHOR_BYTES);
  yield* performAll(
    former.map(
      (copy): Effect => ({
        kind: 'write',
        target: spareTarget(copy.spareIndex),
        offsetBytes: superblockOffsetBytes(copy, 0),
        lengthBytes: ANCHOR_BYTES,
        memoryOffset: work.bufferOffset,
      }),
    ),
  );
  yield* flushSpares(former.map(({ spareIndex }) => spareIndex));
}

/** All the room in which a commit is put together: 1 MiB. */
const ZEROES_BYTES = MAX_COPIES * MAX_COMMIT_PAGES * METADATA_PAGE_BYTES;
