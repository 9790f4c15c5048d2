import { unsettle } from './change-settled.js';
import type { ColdContext } from './cold-context.js';
import { type CopyRoom, readOnce } from './copy-region.js';
import type { Procedure } from './effect.js';
import { perform, REPLACEMENT } from './effect.js';
import { REGION_BYTES } from './limits.js';
import { transferWithRetries } from './retry.js';
import type { SettledParts } from './settled-parts.js';

/**
 * Whether a range of the replacement still holds what the set holds there, which is recorded as settled. `unknown`: it
 * changes just now, or one of the two does not give it; where that is the replacement, it is to be copied anew.
 */
export function* compareCopy(
  context: ColdContext,
  [own, other]: readonly [CopyRoom, CopyRoom],
  { offsetBytes, lengthBytes }: SampleRange,
): Procedure<Comparison> {
  const { unitBytes } = context.shape;
  const firstUnit = Math.floor(offsetBytes / unitBytes);
  const lastUnit = Math.floor((offsetBytes + lengthBytes - 1) / unitBytes);
  const lockId = yield* perform({ kind: 'lock', firstUnit, lastUnit });
  const comparison = yield* compareLocked(context, [own, other], { offsetBytes, lengthBytes });
  yield* perform({ kind: 'unlock', lockId });
  return comparison;
}

export type Comparison = 'same' | 'differs' | 'unknown' | 'away';

function* compareLocked(
  context: ColdContext,
  [own, other]: readonly [CopyRoom, CopyRoom],
  { offsetBytes, lengthBytes }: SampleRange,
): Procedure<Comparison> {
  const { settled, memory } = context;
  if (settled.settledIn(offsetBytes, lengthBytes).length === 0) return 'unknown';
  const range = { offsetBytes, lengthBytes, memoryOffset: own.bufferOffset };
  const outcome = yield* readOnce(context, own, range);
  if (outcome !== 'copied') return outcome === 'away' ? 'away' : 'unknown';
  const memoryOffset = other.bufferOffset;
  const effect = { kind: 'read', target: REPLACEMENT, offsetBytes, lengthBytes, memoryOffset } as const;
  if (!(yield* transferWithRetries(context, effect, true)).ok) {
    yield* unsettle(context, offsetBytes, lengthBytes);
    return 'unknown';
  }
  const [one, two] = [own, other].map(({ bufferOffset }) =>
    Buffer.from(memory.buffer, memory.byteOffset + bufferOffset, lengthBytes),
  );
  return one!.equals(two!) ? 'same' : 'differs';
}

export interface SampleRange {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/**
 * What tells whether a disk was put to another use since: the beginning, with partition table and superblocks, where the
 * first file system mostly begins too, and places all over what is settled.
 */
export function samplesOf(settled: SettledParts): readonly SampleRange[] {
  const parts = settled.allSettled();
  const ranges = parts.flatMap((part) => headPieces(settled, part));
  for (let nth = 0; nth < SPREAD_SAMPLES && parts.length > 0; nth += 1) {
    const part = parts[Math.floor((nth * parts.length) / SPREAD_SAMPLES)]!;
    ranges.push(sampleWithin(settled.rangeOf(part), nth / SPREAD_SAMPLES));
  }
  return ranges;
}

function headPieces(settled: SettledParts, part: number): SampleRange[] {
  const { offsetBytes, lengthBytes } = settled.rangeOf(part);
  const end = Math.min(offsetBytes + lengthBytes, HEAD_BYTES);
  const pieces: SampleRange[] = [];
  for (let at = offsetBytes; at < end; at += REGION_BYTES)
    pieces.push({ offsetBytes: at, lengthBytes: Math.min(REGION_BYTES, end - at) });
  return pieces;
}

/** A piece of the part, the further back the larger `fraction`, which is less than 1. */
function sampleWithin({ offsetBytes, lengthBytes }: SampleRange, fraction: number): SampleRange {
  const pieceCount = Math.ceil(lengthBytes / SAMPLE_BYTES);
  const within = Math.floor(fraction * pieceCount) * SAMPLE_BYTES;
  return {
    offsetBytes: offsetBytes + within,
    lengthBytes: Math.min(SAMPLE_BYTES, lengthBytes - within),
  };
}

/** A first partition begins at 1 MiB, what a LUKS header is followed by at 16 MiB. */
const HEAD_BYTES = 32 << 20;
const SPREAD_SAMPLES = 64;
const SAMPLE_BYTES = 64 << 10;
