import { expect, test } from 'vitest';
import { wantedShape } from './ublk-plan.js';

test('a block device has one queue of 128 requests, or what is asked for', () => {
  expect(wantedShape({})).toMatchObject({ queueCount: 1, queueDepth: 128 });
  expect(wantedShape({ queueCount: 6, depth: 1024 })).toMatchObject({ queueCount: 6, queueDepth: 1024 });
});

test('more requests than there can be memory for are refused, with a depth that works', () => {
  const refusal = () => wantedShape({ queueCount: 64, depth: 128 });
  expect(refusal).toThrow('at most 6144 in all; use a depth of 96');
  expect(wantedShape({ queueCount: 64, depth: 96 })).toMatchObject({ queueCount: 64, queueDepth: 96 });
});
