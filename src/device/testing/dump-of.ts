import { assert } from '../../base/assert.js';
import { dumpSourceOf } from '../dump-source.js';
import { formatDump } from '../set-dump.js';
import type { DeviceOnMemory } from './device-on-memory.js';

/** All that the metadata on the disks says, as text. */
export function dumpOf(rig: DeviceOnMemory): string {
  const { set } = rig.survey();
  assert(set !== undefined, 'there is a set');
  return [...formatDump(dumpSourceOf(set))].join('');
}
