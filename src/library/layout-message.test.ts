import { expect, it } from 'vitest';
import { describeLayoutFailure } from './layout-message.js';

it('A unit that is too large is told with what limits it on this disk', () => {
  const problem = { kind: 'badUnit', unitBytes: 65_536, minimumBytes: 512, maximumBytes: 16_384 } as const;
  expect(describeLayoutFailure(problem, '/dev/a', ['/dev/b'])).toBe(
    'unit of 65536 bytes: must be a power of two from 512 to 16384, which is 32 logical blocks of 512 bytes of this disk',
  );
});
