import { expect, test } from 'vitest';
import { fillPattern, readPattern } from './sector-pattern.js';

test('A sector says where it belongs and of which writing it is', () => {
  const bytes = new Uint8Array(1024);
  fillPattern(bytes, 2 ** 33 + 5, 7);
  expect(readPattern(bytes)).toEqual([
    { kind: 'pattern', lba: 2 ** 33 + 5, generation: 7 },
    { kind: 'pattern', lba: 2 ** 33 + 6, generation: 7 },
  ]);
});

test('One changed byte anywhere in a sector is seen', () => {
  for (let offset = 0; offset < 512; offset++) {
    const bytes = new Uint8Array(512);
    fillPattern(bytes, 100, 1);
    bytes[offset] = bytes[offset]! ^ 0x10;
    expect(readPattern(bytes)[0]).not.toEqual({ kind: 'pattern', lba: 100, generation: 1 });
  }
});

test('A sector of two writings is torn, zeroes and foreign bytes are told apart', () => {
  const bytes = new Uint8Array(1536);
  const newer = new Uint8Array(512);
  fillPattern(bytes.subarray(0, 512), 100, 1);
  fillPattern(newer, 100, 2);
  bytes.set(newer.subarray(0, 256));
  bytes.fill(0xaa, 1024);
  expect(readPattern(bytes)).toEqual([
    { kind: 'torn', lba: 100, generation: 2 },
    { kind: 'zeroes' },
    { kind: 'foreign' },
  ]);
});
