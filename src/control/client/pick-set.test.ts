import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { pickSet } from './pick-set.js';
import type { RunningSet } from './running-sets.js';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dm-remap-pick-'));
  for (const name of ['main.img', 'spare.img']) writeFileSync(join(directory, name), '');
});

afterEach(() => rmSync(directory, { recursive: true }));

it('A set is found by its devices, under every path that leads to them from where the person is', () => {
  const attic = setOf('attic', join(directory, 'main.img'));
  const cellar = setOf('cellar', join(directory, 'other.img'));
  const link = join(directory, 'link');
  symlinkSync(join(directory, 'spare.img'), link);
  const found = (wanted: string) =>
    pickSet([attic, { ...cellar, device: { ...cellar.device, spares: [] } }], wanted);
  for (const path of [join(directory, 'main.img'), join(directory, 'spare.img')]) {
    expect(found(path)).toBe(attic);
    expect(found(relative(process.cwd(), path))).toBe(attic);
  }
  expect(found(link)).toBe(attic);
  expect(() => found('main.img')).toThrow(/^main\.img: no such set is served .* these are: attic, cellar$/);
  expect(() => pickSet([], 'attic')).toThrow('none is (those on devices: dmremap scan)');
  expect(() => pickSet([], 'attic', [{ setId: 'id', processId: 7 }])).toThrow(
    /; being opened again or handed over: id \(process 7\), try again in a moment$/,
  );
  expect(() => pickSet([], 'attic', [], ['/run/a.sock'])).toThrow(
    /^attic: not permitted to ask all that are served \(\/run\/a\.sock\); run as root$/,
  );
});

it('A name goes before a file that is called like it', () => {
  const other = setOf('attic', join(directory, 'other.img'));
  // From the working directory this is a path of the first set, without any slash.
  const first = setOf('first', join(process.cwd(), 'attic'));
  expect(pickSet([first, other], 'attic')).toBe(other);
  expect(pickSet([first], 'attic')).toBe(first);
});

function setOf(name: string, main: string): RunningSet {
  const spares = [{ path: join(directory, 'spare.img') }];
  return {
    device: { name, setId: `id-of-${name}`, endpoints: [], main: { path: main }, spares },
  } as unknown as RunningSet;
}
