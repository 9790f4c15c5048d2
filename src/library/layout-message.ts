import { unreachable } from '../base/assert.js';
import type { LayoutFailure } from '../format/plan-layout.js';

/** One line: why a set can't be laid out like that, and what would do. */
export function describeLayoutFailure(
  problem: LayoutFailure,
  main: string,
  spares: readonly string[],
): string {
  switch (problem.kind) {
    case 'badLogicalBlock':
      return `${main}: logical blocks of ${problem.logicalBlockBytes} bytes; only 512 and 4096 are supported`;
    case 'badUnit':
      return `unit of ${problem.unitBytes} bytes: must be a power of two from ${problem.minimumBytes} to ${problem.maximumBytes}${whyNotLarger(problem)}`;
    case 'badMainSize':
      return `${main}: size of ${problem.mainSizeBytes} bytes is not whole blocks, or more than 1 PiB; round the image up or down`;
    case 'badSpareCount':
      return `${problem.spareCount} spares: give 1 to ${problem.maximum}`;
    case 'badCopyCount':
      return `${problem.copyCount} copies: must be from ${problem.minimum} (one per spare) to ${problem.maximum}`;
    case 'spareTooSmall':
      return `${spares[problem.spareIndex]}: ${problem.sizeBytes} bytes are too small for a spare; at least ${problem.minimumBytes} are needed`;
    case 'metadataTooLarge':
      return `units of ${problem.unitBytes} bytes leave too little room for data beside ${problem.copyCount === 1 ? 'a copy' : `${problem.copyCount} copies`} of the metadata; ${whatUnitsDo(problem)}`;
    case 'tooManyUnits':
      return `${problem.unitCount} spare units are more than ${problem.maximum}; use larger units or smaller spares`;
    default:
      return unreachable(problem);
  }
}

function whatUnitsDo({ enoughUnitBytes }: Extract<LayoutFailure, { kind: 'metadataTooLarge' }>): string {
  if (enoughUnitBytes !== undefined) return `use units of ${enoughUnitBytes} bytes`;
  return 'larger ones are needed, which a set gets when it is formatted';
}

/** 64k is right for one disk and not for another, so the limit has to say where it comes from. */
function whyNotLarger({ minimumBytes, maximumBytes }: Extract<LayoutFailure, { kind: 'badUnit' }>): string {
  return `, which is ${maximumBytes / minimumBytes} logical blocks of ${minimumBytes} bytes of this disk`;
}
