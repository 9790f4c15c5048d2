import { assert } from '../../base/assert.js';
import { entriesOf } from '../replace-map.js';
import { formatDump } from '../set-dump.js';
import type { DeviceOnMemory } from './device-on-memory.js';

/** All that the metadata on the disks says, as text. */
export function dumpOf(rig: DeviceOnMemory): string {
  const { set } = rig.survey();
  assert(set !== undefined, 'there is a set');
  const { choice, table, load } = set;
  const { superblock } = choice;
  const source = { superblock, entries: entriesOf(table, superblock.spares), lostPages: load.lostPages };
  return [...formatDump(source)].join('');
}
