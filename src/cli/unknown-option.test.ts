import { Command } from 'commander';
import { expect, it } from 'vitest';
import { unknownOption } from './unknown-option.js';

const program = new Command('p');
program.command('group').command('go').requiredOption('--main <path>', '').option('-q, --quiet', '');

it.each([
  ['group go --mian x --quiet', '--mian'],
  ['group go --main=x --quite', '--quite'],
  ['group go --Main=x', '--Main'],
  ['group go --quiet --help -q', undefined],
  ['group go -- --mian', undefined],
  ['go --main x', '--main'],
])('%s: %s', (line, flag) => {
  expect(unknownOption(program, line.split(' '))).toBe(flag);
});
