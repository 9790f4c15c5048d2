import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tryTool } from '../support/run-tool.js';

describe('the example in README.md', () => {
  it('runs as it stands in a project that has the package', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'dmr-readme-'));
    try {
      mkdirSync(join(directory, 'node_modules'));
      symlinkSync(resolve('.'), join(directory, 'node_modules/dm-remap'));
      for (const name of ['disk.img', 'spare.img']) {
        writeFileSync(join(directory, name), '');
        truncateSync(join(directory, name), 8 << 20);
      }
      writeFileSync(join(directory, 'example.mjs'), exampleIn(readFileSync('README.md', 'utf8')));
      const outcome = await tryTool(process.execPath, ['example.mjs'], { directory, timeoutMs: 60_000 });
      expect(outcome).toMatchObject({ status: 0, stderr: '' });
      expect(outcome.stdout).toContain('hello, 0 units moved');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

/** The one JavaScript block. */
function exampleIn(readme: string): string {
  const blocks = [...readme.matchAll(/^```js\n([\s\S]*?)^```$/gm)];
  expect(blocks).toHaveLength(1);
  return blocks[0]![1]!;
}
