import { expect, it } from 'vitest';
import { commandLine } from './shell-words.js';

it.each([
  [['dmremap', 'lost', 'attic'], 'dmremap lost attic'],
  [['dmremap', 'lost', 'my attic'], "dmremap lost 'my attic'"],
  [['--spare', "/mnt/o'k.img"], "--spare '/mnt/o'\\''k.img'"],
  [['a;b', '$HOME', ''], "'a;b' '$HOME' ''"],
])('%j is given to a shell as %s', (words, line) => {
  expect(commandLine(words)).toBe(line);
});
