import { expect, it } from 'vitest';
import { describeAssemblyFailure } from './assembly-message.js';

it.each([
  [8192, 'check the path, or use "dmremap run --force" if you are sure'],
  [2048, 'check the path, or give it its size back'],
])('A main device of %d bytes that had 4096: force is advised only where it helps', (actual, advice) => {
  const mismatches = [{ kind: 'sizeBytes', actual, recorded: 4096 }] as const;
  expect(describeAssemblyFailure({ kind: 'wrongMain', mismatches }, '/dev/a', ['/dev/b'])).toEqual({
    failure: 'refused',
    message: `/dev/a: not the recorded main device (size is ${actual}, recorded 4096); ${advice}`,
  });
});
