import { expect, it } from 'vitest';
import type { ScannedSet, ScanProblem } from '../library/scan-types.js';
import { verdictOn } from './scan-verdict.js';

const images = ['my disk.img', 'spare.img'];

it('The next command looks at the images that were named, because by itself it looks at block devices only', () => {
  expect(verdictOn(setWith(), images)).toEqual({
    state: 'complete',
    next: "dmremap assemble attic --device 'my disk.img' --device spare.img",
  });
  expect(verdictOn(setWith()).next).toBe('dmremap assemble attic');
});

it.each<[ScanProblem['id'], string]>([
  [
    'mainUnproven',
    "if it is the one, name it: dmremap assemble attic --main 'my disk.img' --device spare.img",
  ],
  ['spareReplaced', "dmremap assemble attic --device 'my disk.img' --device spare.img"],
])('So it does after %s', (id, next) => {
  expect(verdictOn(setWith({ id, blocks: true, message: '' }), [...images, 'other.img']).next).toBe(next);
});

it('The main device that is missing is to be named, the spare is known', () => {
  const set = setWith({ id: 'mainMissing', blocks: true, message: '' });
  const { next } = verdictOn({ ...set, main: { ...set.main, path: null } }, ['spare.img']);
  expect(next).toMatch(/ dmremap assemble attic --main PATH --device spare\.img$/);
});

function setWith(...problems: ScanProblem[]): ScannedSet {
  return {
    setId: '0f0e0d0c-0b0a-4900-8000-000102030405',
    name: 'attic',
    main: { path: 'my disk.img', provedBy: 'contents' },
    spares: [{ index: 0, path: 'spare.img' }],
    problems,
  } as unknown as ScannedSet;
}
