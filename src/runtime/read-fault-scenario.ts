import { failed, type Result } from '../base/result.js';
import { readTextFile } from '../configuration/text-file.js';
import type { FaultScenario } from '../storage/fault-rule.js';
import { describeScenarioFailure, parseFaultScenario } from '../storage/fault-scenario.js';
import { type Failure, failure } from './failure.js';

/** Loaded only where faults are injected: the YAML library is large, and a thread that needs none starts sooner without. */
export function readFaultScenario(path: string): Result<FaultScenario, Failure> {
  const text = readTextFile(path, MAX_FILE_BYTES);
  if (!text.ok) return failed(failure('usage', `${path}: ${text.error.problem}; give a fault scenario file`));
  const parsed = parseFaultScenario(text.value, path);
  return parsed.ok ? parsed : failed(failure('usage', describeScenarioFailure(parsed.error)));
}

/** Hundred thousand bad places. */
const MAX_FILE_BYTES = 4 << 20;
