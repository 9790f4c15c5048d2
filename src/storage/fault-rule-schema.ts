import { z } from 'zod';
import type { ErrnoName } from '../base/errno.js';
import { ERRNO } from '../base/errno.js';
import type { FaultRule } from './fault-rule.js';
import { OPERATION_NAMES, OperationBit, type OperationName } from './fault-rule.js';
import { parseSectorRanges } from './parse-sector-ranges.js';
import type { SectorRanges } from './sector-ranges.js';

const ERRNO_NAMES = Object.keys(ERRNO) as ErrnoName[];
const ERRNO_PROBLEM = `must be the name of an errno; allowed: ${ERRNO_NAMES.join(', ')}`;
const OPERATIONS_PROBLEM = `must be a list of operations; allowed: ${OPERATION_NAMES.join(', ')}`;

const ruleShape = z.strictObject({
  sectors: z
    .union([z.string(), z.number()], { error: 'must be sector numbers such as "100-101,200"' })
    .transform(toSectorRanges)
    .optional(),
  on: z
    .array(z.enum(OPERATION_NAMES, OPERATIONS_PROBLEM), OPERATIONS_PROBLEM)
    .min(1, OPERATIONS_PROBLEM)
    .default(['read', 'write']),
  error: z.enum(ERRNO_NAMES, ERRNO_PROBLEM).optional(),
  delayMs: wholeNumber(1, 3_600_000, 'milliseconds').optional(),
  times: wholeNumber(1, Number.MAX_SAFE_INTEGER, 'operations').optional(),
  healsOnWrite: z.boolean('must be true or false').default(false),
  afterOps: wholeNumber(0, Number.MAX_SAFE_INTEGER, 'operations').default(0),
});

/** The keys of a rule, for messages. */
export const RULE_KEYS: readonly string[] = Object.keys(ruleShape.shape);

/** One rule of a scenario file; messages say what is allowed. */
export const faultRuleSchema = ruleShape.superRefine(refuseNonsense).transform(toFaultRule);

type RuleText = z.infer<typeof ruleShape>;

function refuseNonsense(rule: RuleText, context: z.RefinementCtx): void {
  const refuse = (path: (keyof RuleText)[], message: string) =>
    context.addIssue({ code: 'custom', path, message });
  if (rule.error === undefined && rule.delayMs === undefined)
    refuse([], 'needs an error, a delayMs, or both');
  if (rule.sectors !== undefined && rule.on.includes('flush')) {
    refuse(['on'], 'a flush has no sectors: give it a rule of its own without "sectors"');
  }
  if (rule.healsOnWrite && rule.on.includes('write')) {
    refuse(['healsOnWrite'], 'needs an "on" without write: a write that fails cannot heal');
  }
  if (rule.healsOnWrite && rule.sectors === undefined) refuse(['healsOnWrite'], 'needs "sectors"');
}

function toFaultRule(rule: RuleText): FaultRule {
  return {
    sectors: rule.sectors,
    operations: rule.on.reduce((bits, name) => bits | hitBy(name), 0),
    errno: rule.error === undefined ? 0 : ERRNO[rule.error],
    delayMs: rule.delayMs ?? 0,
    times: rule.times ?? Number.POSITIVE_INFINITY,
    healsOnWrite: rule.healsOnWrite,
    afterOperations: rule.afterOps,
  };
}

function toSectorRanges(text: string | number, context: z.RefinementCtx): SectorRanges {
  const parsed = parseSectorRanges(String(text));
  if (parsed.ok) return parsed.value;
  context.addIssue({ code: 'custom', message: parsed.error });
  return z.NEVER;
}

function wholeNumber(least: number, most: number, unit: string) {
  const problem = `must be a whole number of ${unit} from ${least} to ${most}`;
  return z.int(problem).min(least, problem).max(most, problem);
}

/** A sector that takes no write takes no zeroes either, whichever command brings them. */
function hitBy(name: OperationName): number {
  return name === 'write' ? OperationBit.write | OperationBit.writeZeroes : OperationBit[name];
}
