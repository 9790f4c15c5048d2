import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatUuid, parseUuid, sameUuid, uuidFromRandom } from './set-id.js';

const sixteenBytes = fc.uint8Array({ minLength: 16, maxLength: 16 });

describe('UUIDs', () => {
  it('come back from their text', () => {
    fc.assert(
      fc.property(sixteenBytes, (uuid) => {
        expect(parseUuid(formatUuid(uuid))).toEqual({ ok: true, value: uuid });
        expect(parseUuid(formatUuid(uuid).toUpperCase())).toEqual({ ok: true, value: uuid });
      }),
    );
  });

  it('made of random bytes carry version 4 and variant 10', () => {
    fc.assert(
      fc.property(sixteenBytes, (random) => {
        expect(formatUuid(uuidFromRandom(random))).toMatch(
          /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-/,
        );
      }),
    );
  });

  it('are refused in any other form', () => {
    for (const bad of [
      '',
      '0f1e2d3c',
      `{${formatUuid(new Uint8Array(16))}}`,
      'g'.repeat(36),
      '0'.repeat(32),
    ]) {
      expect(parseUuid(bad)).toEqual({ ok: false, error: 'notAUuid' });
    }
  });

  it('are the same only when all bytes are', () => {
    const one = new Uint8Array(16);
    expect(sameUuid(one, new Uint8Array(16))).toBe(true);
    for (let index = 0; index < 16; index += 1) expect(sameUuid(one, one.with(index, 1))).toBe(false);
  });
});
