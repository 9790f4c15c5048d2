import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readFaultScenario } from './read-fault-scenario.js';

it.each([
  ['a disk image', Buffer.alloc(4096, 0xff), 'is no text in UTF-8; give a fault scenario file'],
  ['a file of megabytes', Buffer.alloc((4 << 20) + 1, '#\n'), 'has more than 4194304 bytes; give'],
])('A scenario file that is %s is refused in one line', (_what, bytes, problem) => {
  const directory = mkdtempSync(join(tmpdir(), 'dm-remap-faults-'));
  const path = join(directory, 'faults');
  writeFileSync(path, bytes);
  const read = readFaultScenario(path);
  rmSync(directory, { recursive: true });
  expect(read).toMatchObject({ ok: false, error: { failure: 'usage' } });
  expect(JSON.stringify(read)).toContain(`${path}: ${problem}`);
});
