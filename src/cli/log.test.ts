import { expect, it } from 'vitest';
import { type Log, logNotice } from './log.js';

it('What a disk has for a name is one line of the log, and moves no cursor', () => {
  const lines: unknown[] = [];
  const log = { info: (_: unknown, message: string) => lines.push(message) } as unknown as Log;
  logNotice(log, { level: 'info', event: 'opened', message: 'opened a\nb\u001b[2J', details: {} });
  expect(lines).toEqual(['opened a?b?[2J']);
});
