import { assert } from '../base/assert.js';
import { failed, ok, type Result } from '../base/result.js';

/** Identities of metadata sets and of spares: UUIDs, 16 bytes in the order they are printed (RFC 9562, section 4). */
export function uuidFromRandom(random: Uint8Array): Uint8Array {
  assert(random.length === UUID_BYTES, `${random.length} random bytes`);
  const uuid = random.slice();
  uuid[6] = (uuid[6]! & 0x0f) | 0x40;
  uuid[8] = (uuid[8]! & 0x3f) | 0x80;
  return uuid;
}

/** `3f2504e0-4f89-41d3-9a0c-0305e82c3301`, always in lower case. */
export function formatUuid(uuid: Uint8Array): string {
  assert(uuid.length === UUID_BYTES, `${uuid.length} bytes of UUID`);
  const hex = Array.from(uuid, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** Any UUID in its usual form with hyphens, in either case. */
export function parseUuid(text: string): Result<Uint8Array, 'notAUuid'> {
  if (!UUID_FORM.test(text)) return failed('notAUuid');
  const hex = text.replaceAll('-', '');
  return ok(
    Uint8Array.from({ length: UUID_BYTES }, (_, index) =>
      Number.parseInt(hex.slice(2 * index, 2 * index + 2), 16),
    ),
  );
}

export function sameUuid(one: Uint8Array, other: Uint8Array): boolean {
  for (let index = 0; index < UUID_BYTES; index += 1) if (one[index] !== other[index]) return false;
  return true;
}

export const UUID_BYTES = 16;

const UUID_FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
