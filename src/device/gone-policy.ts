/** What requests do that need a device which is gone (`--on-gone`). */
export interface GonePolicy {
  /** They wait for it so long before they fail, from when it went: 0 not at all, `Infinity` for ever. */
  readonly holdMs: number;
}

/** `fail`, `hold` or `hold:SECONDS` (whole, 1 to 1,000,000); undefined for anything else. */
export function parseGonePolicy(text: string): GonePolicy | undefined {
  if (text === 'fail') return { holdMs: 0 };
  if (text === 'hold') return { holdMs: Number.POSITIVE_INFINITY };
  const seconds = Number(/^hold:(\d{1,7})$/.exec(text)?.[1] ?? 0);
  return seconds >= 1 && seconds <= MAX_HOLD_SECONDS ? { holdMs: seconds * 1000 } : undefined;
}

export function formatGonePolicy({ holdMs }: GonePolicy): string {
  if (holdMs === 0) return 'fail';
  return holdMs === Number.POSITIVE_INFINITY ? 'hold' : `hold:${holdMs / 1000}`;
}

/** Long enough for a cable, short enough for programs above not to be taken for hung. */
export const DEFAULT_ON_GONE = 'hold:30';

const MAX_HOLD_SECONDS = 1_000_000;
