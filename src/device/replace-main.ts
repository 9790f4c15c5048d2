import type { Procedure } from '../engine/effect.js';
import type { RemapTable } from '../engine/remap-table.js';
import { DescriptorState } from '../format/descriptor-page.js';
import { featuresForMain, type Superblock } from '../format/superblock.js';
import type { Geometry } from '../ports/block-store.js';
import type { MetadataWork } from './metadata-writer.js';
import { entriesOf, replaceMap } from './replace-map.js';
import { sampleContent } from './sample-content.js';
import type { DumpEntry } from './set-dump.js';
import { withoutCleanMark } from './without-clean-mark.js';

/**
 * Makes another disk the main device of a set that is not at work and is repaired: in one step (rule W5 of
 * docs/on-disk-format.md), so that whenever the power fails the set has the old one or the new one, with the map that
 * belongs to it. The disk is target `MAIN`. `remaps`: `all` stay, where the disk is a copy of the old one as it was;
 * `withLoss`, where it holds what the set held, and only lost blocks have to be remembered. Answers 0 or a positive errno;
 * after an error the set may have either.
 */
export function* replaceMain(
  work: MetadataWork,
  main: Geometry,
  remaps: 'all' | 'withLoss',
): Procedure<number> {
  const { table } = work.context;
  const { superblock } = work.state;
  const entries = entriesOf(table, superblock.spares).filter(
    (entry) => remaps === 'all' || isOfUse(table, entry),
  );
  const kept = new Set(
    entries.flatMap(([, { state, mainUnit }]) => (state === DescriptorState.mapped ? [mainUnit] : [])),
  );
  const { mainSizeBytes, unitBytes } = superblock;
  const isOnSpare = (_index: number, offsetBytes: number): boolean =>
    kept.has(Math.floor(offsetBytes / unitBytes));
  const contentSample = yield* sampleContent(mainSizeBytes, work.memory, work.bufferOffset, isOnSpare);
  const fields = { ...fieldsOf(superblock, main), contentSample };
  return yield* withoutCleanMark(work, replaceMap(work, entries, fields));
}

/** Places that are bad stay so; of the others, those of units with lost blocks. */
function isOfUse(table: RemapTable, [spareUnit, { state, mainUnit, lostMask }]: DumpEntry): boolean {
  if (state !== DescriptorState.mapped) return true;
  return lostMask !== 0 && table.find(mainUnit) === spareUnit;
}

function fieldsOf(
  before: Superblock,
  { sizeBytes, logicalBlockBytes, identity }: Geometry,
): Partial<Superblock> {
  const mainDeviceBytes = sizeBytes === before.mainSizeBytes ? 0 : sizeBytes;
  const mainDeviceBlockBytes = logicalBlockBytes === before.logicalBlockBytes ? 0 : logicalBlockBytes;
  const sizes = { mainDeviceBytes, mainDeviceBlockBytes };
  const { model, serial, wwn } = identity;
  const features = featuresForMain(before.features, sizes);
  return { ...sizes, features, mainModel: model, mainSerial: serial, mainWwn: wwn };
}
