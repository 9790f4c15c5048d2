/**
 * How many units the next part of a job moves at most, after one that moved so many in that time: a pause or a stop waits
 * for the end of a part, and each part looks at the whole map.
 */
export function nextPartLimit(limit: number, tookMs: number): number {
  if (tookMs < SHORT_MS) return Math.min(2 * limit, MOST_UNITS);
  return tookMs > LONG_MS ? Math.max(Math.floor(limit / 2), FEWEST_UNITS) : limit;
}

export const FIRST_PART_LIMIT = 8;
const FEWEST_UNITS = 8;
const MOST_UNITS = 4096;
const SHORT_MS = 500;
const LONG_MS = 2000;
