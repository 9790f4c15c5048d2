import type { ColdContext } from '../engine/cold-context.js';
import { compareCopy, samplesOf } from '../engine/compare-copy.js';
import type { CopyRoom } from '../engine/copy-region.js';
import type { Procedure } from '../engine/effect.js';
import { REGION_BYTES } from '../engine/limits.js';
import type { SettledParts } from '../engine/settled-parts.js';

/**
 * Whether the replacement still holds what an earlier process has copied to it, as far as samples tell: somebody may have
 * put it to another use, or have written to the main device. `waitForAway`: a device of the set does not answer; false:
 * nobody wants to know any more.
 */
export function* isStillCopied(
  context: ColdContext,
  [own, other]: readonly CopyRoom[],
  waitForAway: () => Procedure<boolean>,
): Procedure<'same' | 'differs' | 'unknown'> {
  for (const range of samplesOf(context.settled)) {
    let comparison = yield* compareCopy(context, [own!, other!], range);
    while (comparison === 'away') {
      if (!(yield* waitForAway())) return 'unknown';
      comparison = yield* compareCopy(context, [own!, other!], range);
    }
    if (comparison === 'differs') return comparison;
  }
  return 'same';
}

/** All regions of the parts that are settled. */
export function* settledRegions(settled: SettledParts): Generator<number, void, undefined> {
  for (const part of settled.allSettled()) {
    const { offsetBytes, lengthBytes } = settled.rangeOf(part);
    const last = Math.floor((offsetBytes + lengthBytes - 1) / REGION_BYTES);
    for (let region = offsetBytes / REGION_BYTES; region <= last; region += 1) yield region;
  }
}
