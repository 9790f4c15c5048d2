/** The ranges of a list as `formatSectorRanges` writes it, in any order; undefined if it is none. */
export function parseSectors(text: string): readonly SectorSpan[] | undefined {
  const spans: SectorSpan[] = [];
  for (const part of text.split(',')) {
    const match = /^(\d{1,16})(?:-(\d{1,16}))?$/.exec(part);
    if (match === null) return undefined;
    const first = Number(match[1]);
    const last = match[2] === undefined ? first : Number(match[2]);
    if (last < first) return undefined;
    spans.push({ first, last });
  }
  return spans;
}

export interface SectorSpan {
  readonly first: number;
  /** Inclusive. */
  readonly last: number;
}

/** `2025-11-21T14:53:07Z`; `@12345678901234` where a date has no such form. */
export function formatTime(seconds: number): string {
  if (seconds > LAST_WRITABLE_SECOND) return `@${seconds}`;
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

/** Seconds since 1970; undefined if it is no time. */
export function parseTime(text: string): number | undefined {
  const seconds = /^@\d{1,16}$/.test(text)
    ? Number(text.slice(1))
    : /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text)
      ? Date.parse(text) / 1000
      : Number.NaN;
  if (!Number.isSafeInteger(seconds) || seconds < 0) return undefined;
  // Of a day or an hour that there is none of, a date makes the next one.
  return text.startsWith('@') || formatTime(seconds) === text ? seconds : undefined;
}

/** The end of the year 9999. */
const LAST_WRITABLE_SECOND = 253_402_300_799;
