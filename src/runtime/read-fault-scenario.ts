import { readFileSync } from 'node:fs';
import { failed, type Result } from '../base/result.js';
import type { FaultScenario } from '../storage/fault-rule.js';
import { describeScenarioFailure, parseFaultScenario } from '../storage/fault-scenario.js';
import { type Failure, failure } from './failure.js';

/** Loaded only where faults are injected: the YAML library is large, and a thread that needs none starts sooner without. */
export function readFaultScenario(path: string): Result<FaultScenario, Failure> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return failed(failure('usage', `${path}: can't be read (${code}); give a fault scenario file`));
  }
  const parsed = parseFaultScenario(text, path);
  return parsed.ok ? parsed : failed(failure('usage', describeScenarioFailure(parsed.error)));
}
