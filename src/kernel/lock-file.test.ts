import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { takeLockFile } from './lock-file.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dmr-lock-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

it('A lock file is held once, says by whom, and goes when it is released', () => {
  const path = join(directory, 'attic.name');
  // As a process leaves it that was killed.
  writeFileSync(path, 'somebody who is gone');
  const first = takeLockFile(path, '11');
  expect(takeLockFile(path, '22')).toEqual({ ok: false, error: { kind: 'held', text: '11' } });
  if (first.ok) first.value.release();
  expect(existsSync(path)).toBe(false);
  const second = takeLockFile(path, '22');
  expect(second.ok).toBe(true);
  if (second.ok) second.value.release();
});

it('Where no file can be made there is no lock', () => {
  const error = { kind: 'unusable', code: 'ENOENT' };
  expect(takeLockFile(join(directory, 'nowhere/attic.name'), '1')).toEqual({ ok: false, error });
});
