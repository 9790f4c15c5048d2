import type { ColdContext } from './cold-context.js';
import type { Procedure, Target } from './effect.js';
import type { ErrorClass } from './error-policy.js';
import { isMediaClass, transferWithRetries } from './retry.js';

/** What could be read of one unit (or a part of it), block by block. */
export interface Salvage {
  /** Bit n: block n of the unit could not be read. Only blocks that were asked for are ever set. */
  readonly lostMask: number;
  /** A medium error was seen on the way, even if everything was read in the end. */
  readonly mediumIsBad: boolean;
  /** Of the last error that remained; of those that may be the device's, if there was one. */
  readonly failure: { readonly errno: number; readonly errorClass: ErrorClass } | undefined;
  /** Not a matter of sectors: nothing may be concluded from `lostMask`. */
  readonly abandoned: boolean;
}

/**
 * Reads the blocks `wantedMask` of a unit that starts at `unitOffsetBytes` of `target` into memory, each at its place
 * in the unit's buffer. First every stretch of neighbours as a whole, then each block with retries (P4).
 */
export function* salvageBlocks(
  context: SalvageContext,
  target: Target,
  unitOffsetBytes: number,
  wantedMask: number,
  bufferOffset: number,
): Procedure<Salvage> {
  let salvage = NOTHING_WRONG;
  for (const stretch of stretchesOf(wantedMask)) {
    salvage = merge(salvage, yield* readStretch(context, target, unitOffsetBytes, stretch, bufferOffset));
    if (salvage.abandoned) break;
  }
  return salvage;
}

function* readStretch(
  context: SalvageContext,
  target: Target,
  unitOffsetBytes: number,
  stretch: Stretch,
  bufferOffset: number,
): Procedure<Salvage> {
  const blockBytes = context.shape.logicalBlockBytes;
  const single = stretch.blockCount === 1;
  const from = stretch.firstBlock * blockBytes;
  const attempt = yield* transferWithRetries(
    context,
    {
      kind: 'read',
      target,
      offsetBytes: unitOffsetBytes + from,
      lengthBytes: stretch.blockCount * blockBytes,
      memoryOffset: bufferOffset + from,
    },
    single,
  );
  if (attempt.ok) return { ...NOTHING_WRONG, mediumIsBad: attempt.after === 'media' };
  const mediumIsBad = attempt.errorClass === 'media';
  const failure = { errno: attempt.errno, errorClass: attempt.errorClass };
  if (!isMediaClass(attempt.errorClass)) return { lostMask: 0, mediumIsBad, failure, abandoned: true };
  if (single) return { lostMask: (1 << stretch.firstBlock) >>> 0, mediumIsBad, failure, abandoned: false };
  let salvage: Salvage = { ...NOTHING_WRONG, mediumIsBad };
  for (let block = 0; block < stretch.blockCount && !salvage.abandoned; block += 1) {
    const one = { firstBlock: stretch.firstBlock + block, blockCount: 1 };
    salvage = merge(salvage, yield* readStretch(context, target, unitOffsetBytes, one, bufferOffset));
  }
  return salvage;
}

/** An import salvages without a device at work. */
export type SalvageContext = Pick<ColdContext, 'shape' | 'counters'>;

interface Stretch {
  readonly firstBlock: number;
  readonly blockCount: number;
}

/** The runs of ones in a mask, lowest first. */
export function stretchesOf(mask: number): Stretch[] {
  const stretches: Stretch[] = [];
  for (let block = 0; block < 32; block += 1) {
    if (((mask >>> block) & 1) === 0) continue;
    const firstBlock = block;
    while (block + 1 < 32 && ((mask >>> (block + 1)) & 1) === 1) block += 1;
    stretches.push({ firstBlock, blockCount: block - firstBlock + 1 });
  }
  return stretches;
}

const NOTHING_WRONG: Salvage = { lostMask: 0, mediumIsBad: false, failure: undefined, abandoned: false };

function merge(a: Salvage, b: Salvage): Salvage {
  return {
    lostMask: (a.lostMask | b.lostMask) >>> 0,
    mediumIsBad: a.mediumIsBad || b.mediumIsBad,
    failure:
      a.failure?.errorClass === 'mediaOrDevice' && b.failure?.errorClass === 'media'
        ? a.failure
        : (b.failure ?? a.failure),
    abandoned: a.abandoned || b.abandoned,
  };
}
