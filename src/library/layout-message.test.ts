import { expect, it } from 'vitest';
import { describeLayoutFailure } from './layout-message.js';

it('A unit that is too large is told with what limits it on this disk', () => {
  const problem = { kind: 'badUnit', unitBytes: 65_536, minimumBytes: 512, maximumBytes: 16_384 } as const;
  expect(describeLayoutFailure(problem, '/dev/a', ['/dev/b'])).toBe(
    'unit of 65536 bytes: must be a power of two from 512 to 16384, which is 32 logical blocks of 512 bytes of this disk',
  );
});

it('What is advised can be done: not fewer copies than one, and no option that the command lacks', () => {
  const units = { kind: 'metadataTooLarge', unitBytes: 512, copyCount: 1, enoughUnitBytes: 1024 } as const;
  expect(describeLayoutFailure(units, '/dev/a', ['/dev/b'])).toBe(
    'units of 512 bytes leave too little room for data beside a copy of the metadata; use units of 1024 bytes',
  );
  const spare = { kind: 'spareTooSmall', spareIndex: 0, sizeBytes: 65_536, minimumBytes: 1 << 20 } as const;
  expect(describeLayoutFailure(spare, '/dev/a', ['/dev/b'])).toBe(
    '/dev/b: 65536 bytes are too small for a spare; at least 1048576 are needed',
  );
});
