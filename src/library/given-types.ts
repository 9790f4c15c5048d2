import { DmRemapError } from './errors.js';

/**
 * What a value has to be. Programs in plain JavaScript are checked by no compiler, and what gets as far as the device thread
 * ends it: there a wrong type is a bug.
 */
export interface Kind {
  /** Behind "expected". */
  readonly expected: string;
  fits(value: unknown): boolean;
}

/** Any number: the device thread says which ones it takes. */
export const NUMBER: Kind = { expected: 'a number', fits: (value) => typeof value === 'number' };

export const WHOLE: Kind = {
  expected: 'a whole number from 0 on',
  fits: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
};

export const FLAG: Kind = { expected: 'true or false', fits: (value) => typeof value === 'boolean' };

export const TEXT: Kind = { expected: 'a string', fits: (value) => typeof value === 'string' };

export const BYTES: Kind = { expected: 'a Uint8Array', fits: (value) => value instanceof Uint8Array };

export const NUMBER_OR_NULL: Kind = {
  expected: 'a number or null',
  fits: (value) => value === null || typeof value === 'number',
};

export function optional({ expected, fits }: Kind): Kind {
  return { expected, fits: (value) => value === undefined || fits(value) };
}

export function listOf(kind: Kind): Kind {
  const expected = `an array, each of it ${kind.expected}`;
  return { expected, fits: (value) => Array.isArray(value) && value.every((one) => kind.fits(one)) };
}

/** Throws `DmRemapError` at the first property that is not of its kind. */
export function refuseWrongTypes(given: unknown, kinds: Readonly<Record<string, Kind>>): void {
  if (typeof given !== 'object' || given === null)
    throw new DmRemapError('usage', `expected an object with ${Object.keys(kinds)}, not ${described(given)}`);
  for (const [name, { expected, fits }] of Object.entries(kinds)) {
    const value: unknown = (given as Record<string, unknown>)[name];
    if (!fits(value))
      throw new DmRemapError('usage', `${name}: expected ${expected}, not ${described(value)}`);
  }
}

/** The value where it says something in one line, else its type. */
function described(value: unknown): string {
  if (value === null || typeof value === 'number') return String(value);
  return Array.isArray(value) ? 'an array' : typeof value;
}
