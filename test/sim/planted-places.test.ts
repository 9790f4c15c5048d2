import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mutate } from '../../src/sim/breaks/mutate-source.js';
import { PLANTED_BUGS } from '../../src/sim/breaks/planted-bugs.js';

/** Whether it is found is for `npm run test:planted`; that it can be planted is said here, in seconds. */
describe('a planted bug', () => {
  it.each(PLANTED_BUGS)('has its place in the product: $name', (bug) => {
    const source = readFileSync(join(import.meta.dirname, '../../dist', bug.file), 'utf8');
    expect(mutate(source, bug)).not.toBe(source);
  });
});
