import { placesOf } from '../check-at-rest.js';
import type { Machine } from '../machine.js';
import { placeOfUnit, readMetadata } from '../metadata-reader.js';
import { spareBytesAsRead } from './bytes-as-read.js';

/** Where every unit is, and what is lost of it, by disks and bytes: that is the same whatever the units are numbered. */
export function physicalMap(machine: Machine): string {
  const set = readMetadata(spareBytesAsRead(machine));
  if (set === undefined) return 'no set';
  const places = [...placesOf(set)].map(([unit, { spareUnit, lostMask }]) => {
    const { spareIndex, offsetBytes } = placeOfUnit(set.superblock, spareUnit);
    return [unit, machine.spares[spareIndex]!.id, offsetBytes, lostMask] as const;
  });
  return JSON.stringify(places.sort(([one], [other]) => one - other));
}
