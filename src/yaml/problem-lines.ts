import { shortened } from '../base/shortened.js';
import { withoutControls } from '../base/without-controls.js';

/** What is wrong with a file, a line each. One that was named by mistake has long lines, and thousands of mistakes. */
export function problemLines(problems: readonly string[]): string {
  const lines = problems
    .slice(0, MAX_LINES)
    .map((problem) => shortened(withoutControls(problem), MAX_LENGTH));
  const left = problems.length - lines.length;
  return [...lines, ...(left > 0 ? [`and ${left} more like these`] : [])].join('\n');
}

const MAX_LINES = 20;
const MAX_LENGTH = 1000;
