import { parseArgs } from 'node:util';
import type { PlantedBug } from './breaks/planted-bug.js';
import { PLANTED_BUGS } from './breaks/planted-bugs.js';

/** What the command line asks for, or the mistake in it. */
export function parseCommand(args: readonly string[]): Command | { readonly mistake: string } {
  let values: ReturnType<typeof parse>;
  try {
    values = parse(args);
  } catch (error) {
    // Of parseArgs: an option that there is not.
    return { mistake: (error as Error).message };
  }
  const bug = PLANTED_BUGS.find(({ name }) => name === values.break);
  if (values.break !== undefined && bug === undefined)
    return { mistake: `there is no planted bug "${values.break}"; see --list-breaks` };
  const seed = numberOf(values.seed);
  const seeds = numberOf(values.seeds);
  const minutes = numberOf(values.minutes);
  if ([seed, seeds, minutes].some((value) => Number.isNaN(value))) return { mistake: 'not a number' };
  const isOne = seed !== undefined && seeds === undefined && minutes === undefined;
  return {
    firstSeed: seed ?? (Date.now() % 1_000_000_000) * 1000,
    seedCount: seeds ?? (isOne ? 1 : minutes === undefined ? DEFAULT_SEEDS : Number.MAX_SAFE_INTEGER),
    durationMs: minutes === undefined ? Number.POSITIVE_INFINITY : minutes * 60_000,
    bug,
    listsBugs: values['list-breaks'] === true,
    isJson: values.json === true,
    shrinks: values['no-shrink'] !== true,
    showsHelp: values.help === true,
  };
}

export interface Command {
  readonly firstSeed: number;
  readonly seedCount: number;
  readonly durationMs: number;
  readonly bug: PlantedBug | undefined;
  readonly listsBugs: boolean;
  readonly isJson: boolean;
  readonly shrinks: boolean;
  readonly showsHelp: boolean;
}

export const HELP = `npm run sim -- [--seed N] [--seeds COUNT] [--minutes M] [--break NAME] [--list-breaks] [--json]

  --seed N        the first seed; alone: only this one. Left out: a fresh one, which is printed
  --seeds COUNT   how many seeds, from the first on (default 1000)
  --minutes M     so long instead
  --break NAME    with a planted bug; see --list-breaks
  --json          the result as JSON on standard output
  --no-shrink     print a failure as it is

Exit status: 0 nothing found, 1 a check failed, 2 wrong usage. docs/fault-model.md says what is simulated.`;

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string' },
      minutes: { type: 'string' },
      break: { type: 'string' },
      'list-breaks': { type: 'boolean' },
      json: { type: 'boolean' },
      'no-shrink': { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  }).values;
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : text.trim() === '' ? Number.NaN : Number(text);
}

const DEFAULT_SEEDS = 1000;
