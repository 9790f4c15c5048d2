import { expect, it } from 'vitest';
import { problemOfSetName } from './set-name.js';

it.each([
  ['attic', undefined],
  ['old disk, 2nd', undefined],
  [' ', 'without blanks at its beginning and end'],
  ['attic ', 'without blanks at its beginning and end'],
  ['a\nb', 'no line ends'],
  ['a/b', 'without "/"'],
  ['..', 'without "/"'],
  ['é'.repeat(33), '64 bytes at most'],
])('The name %j: %s', (name, problem) => {
  if (problem === undefined) expect(problemOfSetName(name)).toBeUndefined();
  else expect(problemOfSetName(name)).toContain(problem);
});
