import type { DeviceIdentity } from '../ports/block-store.js';

/**
 * Whether two devices are one. `different`: some text that both have differs. `same`: none does, and serial number or
 * WWN agree. `unknown`: neither told apart nor recognised.
 */
export function compareIdentity(
  one: DeviceIdentity,
  other: DeviceIdentity,
): 'same' | 'different' | 'unknown' {
  let agrees = false;
  for (const kind of ['serial', 'wwn', 'model'] as const) {
    if (one[kind] === '' || other[kind] === '') continue;
    if (one[kind] !== other[kind]) return 'different';
    if (kind !== 'model') agrees = true;
  }
  return agrees ? 'same' : 'unknown';
}

export function hasIdentity({ serial, wwn }: DeviceIdentity): boolean {
  return serial !== '' || wwn !== '';
}
