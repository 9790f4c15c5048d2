import { describe, expect, it } from 'vitest';
import { mutate } from './mutate-source.js';
import { PLANTED_BUGS } from './planted-bugs.js';

describe('the list of planted bugs', () => {
  it('has at least fifteen, each with a name of its own', () => {
    expect(PLANTED_BUGS.length).toBeGreaterThanOrEqual(15);
    expect(new Set(PLANTED_BUGS.map(({ name }) => name)).size).toBe(PLANTED_BUGS.length);
  });

  it('is refused where the place of a bug is not there exactly once', () => {
    const bug = { ...PLANTED_BUGS[0]!, find: 'a', replace: 'b' };
    expect(mutate('xax', bug)).toBe('xbx');
    expect(() => mutate('xx', bug)).toThrow('0 times');
    expect(() => mutate('aa', bug)).toThrow('2 times');
  });
});
