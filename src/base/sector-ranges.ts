/**
 * `5000-5003,5007`: blocks given by their first sectors, ascending, each `blockSectors` long, as inclusive ranges of
 * sectors: the notation of listings, dumps and fault scenarios.
 */
export function formatSectorRanges(firstSectors: readonly number[], blockSectors: number): string {
  const ranges: { first: number; last: number }[] = [];
  for (const first of firstSectors) {
    const range = ranges.at(-1);
    if (range !== undefined && range.last + 1 === first) range.last += blockSectors;
    else ranges.push({ first, last: first + blockSectors - 1 });
  }
  return ranges.map(({ first, last }) => (first === last ? String(first) : `${first}-${last}`)).join(',');
}
