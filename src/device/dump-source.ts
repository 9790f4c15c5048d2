import { pageOfUnit } from '../format/layout.js';
import { entriesOf } from './replace-map.js';
import type { DumpSource } from './set-dump.js';
import type { SurveyedSet } from './survey-set.js';

/** What a dump of a set would say: the map as it is known. Pages with an entry that can't be are as good as lost. */
export function dumpSourceOf({ choice, table, load, intake }: SurveyedSet): DumpSource {
  const incomplete = new Set([
    ...load.lostPages,
    ...load.outOfReachPages,
    ...intake.impossible.map(pageOfUnit),
  ]);
  const lostPages = [...incomplete].sort((one, other) => one - other);
  const { superblock } = choice;
  return { superblock, entries: entriesOf(table, superblock.spares), lostPages };
}
