import { expect, it, test } from 'vitest';
import { namingSpares, SetChanges, withMain, withoutSpare, withSpare } from './set-changes.js';

const WORDS = ['run', '--spare', '/dev/sdb'];
const TOLD = Promise.resolve();
const CLOSED = Promise.resolve({ isEvacuated: false });
const make = async () => ({ value: 'made', commandLine: withSpare('/dev/sdc') });

test('A change is made when the set is closed, and the command line follows it', async () => {
  const changes = new SetChanges();
  const asked = changes.ask(make, TOLD);
  const change = await changes.wanted;
  expect((await change.make(CLOSED))(WORDS)).toEqual([...WORDS, '--spare', '/dev/sdc']);
  expect(await asked).toBe('made');
});

test('Of a set that could not be closed in order nothing is changed, and who asked hears why', async () => {
  const changes = new SetChanges();
  const asked = changes.ask(() => expect.unreachable('made'), TOLD);
  const heard = expect(asked).rejects.toThrow('no flush');
  const change = await changes.wanted;
  expect((await change.make(Promise.reject(new Error('no flush'))))(WORDS)).toEqual(WORDS);
  await heard;
});

test('A second change is refused while one is under way', async () => {
  const changes = new SetChanges();
  const first = changes.ask(make, TOLD);
  expect(() => changes.ask(make, TOLD)).toThrow('another change');
  await (await changes.wanted).make(CLOSED);
  expect(await first).toBe('made');
});

it.each([
  [
    ['run', '--main', 'm', '--spare', 'a'],
    ['run', '--main', 'm', '--spare', 'a', '--spare', 'b'],
  ],
  [
    ['run', '--main', 'm', '--spare=a'],
    ['run', '--main', 'm', '--spare=a', '--spare', 'b'],
  ],
  [
    ['run', 'attic'],
    ['run', 'attic', '--spare', 'a', '--spare', 'b'],
  ],
])('%j with another spare is %j: spares of the configuration are not forgotten', (words, wanted) => {
  const all = withSpare('b')(namingSpares(words, ['a']));
  expect(all).toEqual(wanted);
  expect(withoutSpare('b')(all)).toEqual(namingSpares(words, ['a']));
});

it.each([
  [
    ['run', '--main', 'm', '--spare', 'a'],
    ['run', '--spare', 'a', '--main', 'n'],
  ],
  [
    ['run', '--main=m', '--spare', 'a'],
    ['run', '--spare', 'a', '--main', 'n'],
  ],
  [
    ['run', 'attic'],
    ['run', 'attic', '--main', 'n'],
  ],
])('%j with another main device is %j', (words, wanted) => {
  expect(withMain('n')(words)).toEqual(wanted);
});
