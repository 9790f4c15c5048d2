import { z } from 'zod';
import type { Result } from '../base/result.js';
import { failed, ok } from '../base/result.js';
import { problemLines } from '../yaml/problem-lines.js';
import { readYaml, type YamlText } from '../yaml/read-yaml.js';
import { keyText } from '../yaml/yaml-position.js';
import type { FaultRule, FaultScenario } from './fault-rule.js';
import { faultRuleSchema, RULE_KEYS } from './fault-rule-schema.js';

/** Reads a scenario file (YAML; docs/fault-scenarios.md). `fileName` is for messages only. */
export function parseFaultScenario(text: string, fileName: string): Result<FaultScenario, ScenarioFailure> {
  const fail = (problems: ScenarioProblem[]) => failed<ScenarioFailure>({ fileName, problems });
  const read = readYaml(text);
  if (!read.ok) return fail(read.error.map(({ line, problem }) => ({ line, key: '', problem })));
  const parsed = scenarioSchema.safeParse(read.value.value ?? {});
  if (parsed.success) return ok(scenarioOf(parsed.data));
  return fail(parsed.error.issues.map((issue) => problemOf(issue, read.value)));
}

/** Everything that is wrong with a scenario file. */
export interface ScenarioFailure {
  readonly fileName: string;
  readonly problems: readonly ScenarioProblem[];
}

export interface ScenarioProblem {
  /** From 1. */
  readonly line: number;
  /** Path of the key, such as `main[0].error`; '' for the file as a whole. */
  readonly key: string;
  /** What is wrong and what is allowed. */
  readonly problem: string;
}

/** One line per problem: `file:line: key: problem`. */
export function describeScenarioFailure(failure: ScenarioFailure): string {
  const { fileName, problems } = failure;
  return problemLines(
    problems.map(
      ({ line, key, problem }) => `${fileName}:${line}: ${key === '' ? '' : `${key}: `}${problem}`,
    ),
  );
}

const MAX_SPARES = 16;
const DEVICE_KEY = /^(main|spare([1-9][0-9]?)?)$/;
const DEVICE_KEYS_ALLOWED = `allowed: main, spare (or spare1), spare2 to spare${MAX_SPARES}`;

const scenarioSchema = z
  .record(z.string().regex(DEVICE_KEY), z.array(faultRuleSchema, { error: 'must be a list of rules' }), {
    error: `must be a map of devices to rules; ${DEVICE_KEYS_ALLOWED}`,
  })
  .superRefine((devices, context) => {
    if ('spare' in devices && 'spare1' in devices) {
      context.addIssue({ code: 'custom', path: ['spare1'], message: 'spare and spare1 are the same device' });
    }
    for (const name of Object.keys(devices)) {
      if (spareIndexOf(name) < MAX_SPARES) continue;
      context.addIssue({ code: 'custom', path: [name], message: `unknown device; ${DEVICE_KEYS_ALLOWED}` });
    }
  });

function scenarioOf(devices: Record<string, FaultRule[]>): FaultScenario {
  const spares: FaultRule[][] = [];
  for (const [name, rules] of Object.entries(devices)) {
    if (name !== 'main') spares[spareIndexOf(name)] = rules;
  }
  return { main: devices.main ?? [], spares: Array.from(spares, (rules) => rules ?? []) };
}

/** -1 for the main device. */
function spareIndexOf(name: string): number {
  if (name === 'main') return -1;
  return name === 'spare' ? 0 : Number(name.slice('spare'.length)) - 1;
}

function problemOf(issue: z.core.$ZodIssue, text: YamlText): ScenarioProblem {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  const unknownKey = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  if (unknownKey !== undefined) path.push(unknownKey);
  return { line: text.positionOf(path).line, key: keyText(path), problem: problemText(issue) };
}

function problemText(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `unknown key; allowed: ${RULE_KEYS.join(', ')}`;
  if (issue.code === 'invalid_key') return `unknown device; ${DEVICE_KEYS_ALLOWED}`;
  if (issue.code === 'invalid_type' && issue.expected === 'object') {
    return `must be a rule, a map of: ${RULE_KEYS.join(', ')}`;
  }
  return issue.message;
}
