import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tryTool } from '../support/run-tool.js';

describe('the demonstration', () => {
  it('ends by itself with status 0 when every byte was verified', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'dmr-demo-'));
    try {
      const program = resolve('dist/demo/main.js');
      const outcome = await tryTool(process.execPath, [program, '--once'], { directory, timeoutMs: 120_000 });
      expect(outcome.stdout).toContain('every byte is what was written');
      expect(outcome.stdout).not.toContain('\u001b');
      expect(outcome).toMatchObject({ status: 0, stderr: '' });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
