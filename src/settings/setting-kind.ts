import { unreachable } from '../base/assert.js';
import { failed, ok, type Result } from '../base/result.js';

/** Which values a setting has. Inside they are numbers; people and programs see `SettingInput`. */
export type SettingKind =
  /** A whole number. */
  | { readonly kind: 'whole'; readonly minimum: number; readonly maximum: number }
  /** A word; its number is its place in the list. */
  | { readonly kind: 'choice'; readonly words: readonly string[] }
  /** How long something waits: `fail` (0), `hold:SECONDS`, or `hold` (`FOREVER_SECONDS`). */
  | { readonly kind: 'hold' };

/** As it is written on a command line, in a file, or in JSON. */
export type SettingInput = string | number | boolean;

/** The number of a value, or what was expected instead. */
export function parseSettingValue(kind: SettingKind, input: SettingInput): Result<number, string> {
  const value = numberOf(kind, input);
  return value === undefined ? failed(describeRange(kind)) : ok(value);
}

/** The opposite of `parseSettingValue`. */
export function formatSettingValue(kind: SettingKind, value: number): string | number {
  switch (kind.kind) {
    case 'whole':
      return value;
    case 'choice':
      return kind.words[value]!;
    case 'hold':
      if (value === 0) return 'fail';
      return value === FOREVER_SECONDS ? 'hold' : `hold:${value}`;
    default:
      return unreachable(kind);
  }
}

export function isSettingValue(kind: SettingKind, value: number): boolean {
  switch (kind.kind) {
    case 'whole':
      return Number.isInteger(value) && value >= kind.minimum && value <= kind.maximum;
    case 'choice':
      return kind.words[value] !== undefined;
    case 'hold':
      return (
        Number.isInteger(value) && value >= 0 && (value <= MAX_HOLD_SECONDS || value === FOREVER_SECONDS)
      );
    default:
      return unreachable(kind);
  }
}

/** For help, documents and errors. */
export function describeRange(kind: SettingKind): string {
  switch (kind.kind) {
    case 'whole':
      return `a whole number from ${kind.minimum} to ${kind.maximum}`;
    case 'choice':
      return kind.words.join(' or ');
    case 'hold':
      return `fail, hold or hold:SECONDS (1 to ${MAX_HOLD_SECONDS})`;
    default:
      return unreachable(kind);
  }
}

function numberOf(kind: SettingKind, input: SettingInput): number | undefined {
  const value = rawNumberOf(kind, String(input).trim());
  return value !== undefined && isSettingValue(kind, value) ? value : undefined;
}

function rawNumberOf(kind: SettingKind, text: string): number | undefined {
  switch (kind.kind) {
    case 'whole':
      return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
    case 'choice':
      return kind.words.indexOf(text);
    case 'hold':
      if (text === 'fail') return 0;
      if (text === 'hold') return FOREVER_SECONDS;
      return Number(HOLD_SECONDS.exec(text)?.[1] ?? Number.NaN);
    default:
      return unreachable(kind);
  }
}

/** Without leading zeroes, so that each value is written in one way. */
export const HOLD_SECONDS = /^hold:([1-9]\d{0,6})$/;
export const MAX_HOLD_SECONDS = 1_000_000;
/** `hold`. One more is the highest number that is kept on the spare. */
export const FOREVER_SECONDS = 0xffff_fffe;
