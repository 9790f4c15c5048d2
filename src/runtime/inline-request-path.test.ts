import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { INLINING_BUDGET } from './inline-request-path.js';

it('The budget for inlining is a flag that this V8 knows', () => {
  const [name] = INLINING_BUDGET.split('=');
  expect(execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' })).toContain(`${name} `);
});
