import { assert } from '../../base/assert.js';
import { readDump, type SetDump } from '../read-dump.js';

/** A dump that has no mistakes. */
export function parsedDump(text: string): SetDump {
  const dump = readDump(text, 0);
  assert(dump.ok, JSON.stringify(dump));
  return dump.value;
}
