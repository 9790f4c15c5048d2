import { parseArgs } from 'node:util';
import type { Result } from '../src/base/result.js';
import { failed, ok } from '../src/base/result.js';
import { KERNEL_NAMES, type KernelName } from '../test/kernel/lab/kernel-name.js';

export interface UblkBenchOptions {
  readonly kernel: KernelName;
  readonly json: boolean;
  /** Profiles our device thread instead of comparing it. */
  readonly profile: boolean;
  readonly seconds: number;
  readonly rounds: number;
  /** What to measure, by name. */
  readonly rows: RegExp;
  readonly contenders: RegExp;
  readonly sizeMiB: number;
  readonly remapCount: number;
}

export const UBLK_BENCH_USAGE = `npm run bench -- ublk [--kernel ${KERNEL_NAMES.join('|')}] [--json] [--profile] [--seconds N]
    [--rounds N] [--rows REGEX] [--contenders REGEX] [--size-mib N] [--remaps N]`;

/** Fails with a line that says what is wrong. */
export function parseUblkBenchOptions(args: string[]): Result<UblkBenchOptions, string> {
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
  const kernel = KERNEL_NAMES.find((name) => name === values.kernel);
  if (kernel === undefined) return failed(`--kernel is one of ${KERNEL_NAMES.join(', ')}`);
  const numbers = [values.seconds, values.rounds, values['size-mib'], values.remaps].map(Number);
  const [seconds, rounds, sizeMiB, remapCount] = numbers;
  if (!numbers.every((number) => Number.isSafeInteger(number) && number > 0)) {
    return failed('--seconds, --rounds, --size-mib and --remaps take whole numbers from 1');
  }
  return ok({
    kernel,
    json: values.json === true,
    profile: values.profile === true,
    seconds: seconds!,
    rounds: rounds!,
    rows: new RegExp(String(values.rows)),
    contenders: new RegExp(String(values.contenders)),
    sizeMiB: sizeMiB!,
    remapCount: remapCount!,
  });
}

const OPTIONS = {
  kernel: { type: 'string', default: '6.12' },
  json: { type: 'boolean', default: false },
  profile: { type: 'boolean', default: false },
  seconds: { type: 'string', default: '5' },
  rounds: { type: 'string', default: '3' },
  rows: { type: 'string', default: '' },
  contenders: { type: 'string', default: '' },
  'size-mib': { type: 'string', default: '1024' },
  remaps: { type: 'string', default: '100000' },
} as const;
