import type { Result } from '../base/result.js';
import { failed, ok } from '../base/result.js';
import type { SectorRange } from './sector-ranges.js';
import { SectorRanges } from './sector-ranges.js';

/** Reads `100-101,200`: sector numbers and inclusive ranges, separated by commas. The error is one clear phrase. */
export function parseSectorRanges(text: string): Result<SectorRanges, string> {
  const pairs: SectorRange[] = [];
  for (const part of text.split(',')) {
    const match = RANGE.exec(part.trim());
    if (match === null) return failed(`"${part.trim()}" is not a sector or a range; allowed: "100-101,200"`);
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (first > last) return failed(`"${part.trim()}" is reversed: the first sector comes first`);
    if (last > MAX_SECTOR)
      return failed(`sector ${match[2] ?? match[1]} is beyond the largest, ${MAX_SECTOR}`);
    pairs.push({ start: first, end: last + 1 });
  }
  return ok(SectorRanges.of(pairs));
}

const RANGE = /^(\d+)(?:\s*-\s*(\d+))?$/;
/** Its byte offset is still an exact number. */
const MAX_SECTOR = 2 ** 44 - 1;
