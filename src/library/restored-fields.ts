import { ON_LOST_WORDS } from '../device/set-dump.js';
import type { Superblock } from '../format/superblock.js';

/** What a restore changes beside the map. */
export interface RestoredField {
  /** As the text of a dump calls it. */
  readonly field: string;
  readonly before: string;
  readonly after: string;
}

/** Where a dump says something else about the set and its main device than what is on the spares. */
export function restoredFields(before: Superblock, after: Superblock): RestoredField[] {
  const [is, wanted] = [fieldsOf(before), fieldsOf(after)];
  return Object.keys(is)
    .filter((field) => is[field] !== wanted[field])
    .map((field) => ({ field, before: is[field]!, after: wanted[field]! }));
}

function fieldsOf({ name, onLost, ...main }: Superblock): Record<string, string> {
  return {
    name,
    model: main.mainModel,
    serial: main.mainSerial,
    wwn: main.mainWwn,
    'device-bytes': String(main.mainDeviceBytes),
    'device-block': String(main.mainDeviceBlockBytes),
    'on-lost': ON_LOST_WORDS[onLost]!,
  };
}
