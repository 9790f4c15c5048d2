import { parseArgs } from 'node:util';
import type { Result } from '../src/base/result.js';
import { failed, ok } from '../src/base/result.js';

export interface NbdBenchOptions {
  readonly json: boolean;
  readonly seconds: number;
  readonly repeats: number;
  /** What to measure, by name. */
  readonly rows: RegExp;
  readonly servers: RegExp;
  readonly sizeBytes: number;
}

export const NBD_BENCH_USAGE =
  'npm run bench -- nbd [--json] [--seconds N] [--repeats N] [--rows REGEX] [--servers REGEX] [--size-mib N]';

/** Fails with a line that says what is wrong. */
export function parseNbdBenchOptions(args: string[]): Result<NbdBenchOptions, string> {
  const { values, positionals, tokens } = parseArgs({
    args,
    options: OPTIONS,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const unknown = tokens.find((token) => token.kind === 'option' && !Object.hasOwn(OPTIONS, token.name));
  if (unknown?.kind === 'option') return failed(`unknown option ${unknown.rawName}`);
  if (positionals.length > 0) return failed(`unexpected ${positionals[0]}`);
  const numbers = [values.seconds, values.repeats, values['size-mib']].map(Number);
  const [seconds, repeats, sizeMib] = numbers;
  if (!numbers.every((number) => Number.isSafeInteger(number) && number > 0)) {
    return failed('--seconds, --repeats and --size-mib take whole numbers from 1');
  }
  return ok({
    json: values.json === true,
    seconds: seconds!,
    repeats: repeats!,
    rows: new RegExp(String(values.rows)),
    servers: new RegExp(String(values.servers)),
    sizeBytes: sizeMib! * 2 ** 20,
  });
}

const OPTIONS = {
  json: { type: 'boolean', default: false },
  seconds: { type: 'string', default: '5' },
  repeats: { type: 'string', default: '3' },
  rows: { type: 'string', default: '' },
  servers: { type: 'string', default: '' },
  'size-mib': { type: 'string', default: '1024' },
} as const;
