/** NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
  return (lower + upper) / 2;
}

/** null where there is nothing to compare with. */
export function ratio(value: number, reference: number): number | null {
  return Number.isFinite(reference) && reference > 0 ? value / reference : null;
}

export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-GB');
}

export function times(value: number | null): string {
  return value === null ? '   -' : value.toFixed(2);
}
