import { ERRNO } from '../base/errno.js';
import type { Procedure } from '../engine/effect.js';
import { RemapTable } from '../engine/remap-table.js';
import { type Descriptor, DescriptorState, emptyDescriptor } from '../format/descriptor-page.js';
import { DESCRIPTORS_PER_PAGE, MAX_SEQUENCE, pageOfUnit } from '../format/layout.js';
import type { SpareRecord, Superblock } from '../format/superblock.js';
import { flushSpares } from './flush-spares.js';
import { MAX_COMMIT_PAGES } from './limits.js';
import type { MetadataWork } from './metadata-writer.js';
import type { DumpEntry } from './set-dump.js';
import { initialisePages } from './write-descriptors.js';
import { writeNotes } from './write-notes.js';
import { writePages } from './write-pages.js';
import { writeSuperblock } from './write-superblock.js';

/**
 * Replaces the map of a set by another in one step, with what else is to change in the superblock (rule W5 of
 * docs/on-disk-format.md): whenever the power fails, the old map is there whole, or the new one. The set is repaired
 * already. Answers 0 or EIO; after an error the old map counts.
 */
export function* replaceMap(
  work: MetadataWork,
  entries: readonly DumpEntry[],
  fields: Partial<Superblock>,
): Procedure<number> {
  const { state, context } = work;
  const spareUnits = entries.map(([spareUnit]) => spareUnit);
  if (!(yield* initialisePages(work, spareUnits))) return ERRNO.EIO;
  const table = tableOf(entries, context.table.spareUnitCapacity);
  const pages = changedPages(context.table, table);
  const before = state.superblock;
  if (before.generation >= MAX_SEQUENCE) return ERRNO.EIO;
  state.superblock = { ...before, generation: before.generation + 1 };
  const prepared = { ...work, context: { ...context, table } };
  for (let first = 0; first < pages.length; first += MAX_COMMIT_PAGES) {
    const some = pages.slice(first, first + MAX_COMMIT_PAGES);
    if (yield* writePages(prepared, some, new Map())) continue;
    state.superblock = before;
    return ERRNO.EIO;
  }
  // Another map, or another main device: what was copied of the set is not what it holds.
  const errno = yield* writeSuperblock(work, { copyPosition: undefined, ...fields });
  if (errno !== 0) return errno;
  const { superblock } = state;
  yield* writeNotes(superblock, [...superblock.copies.keys()], work.memory, work.bufferOffset);
  yield* flushSpares(superblock.spares.keys());
  return 0;
}

/** A map in memory, as it is on disk. */
export function tableOf(entries: readonly DumpEntry[], spareUnitCapacity: number): RemapTable {
  const table = RemapTable.allocate(spareUnitCapacity);
  for (const [spareUnit, descriptor] of entries) table.set(spareUnit, descriptor);
  return table;
}

/** Every unit that is mapped or retired, of the pages that were ever written. */
export function entriesOf(table: RemapTable, spares: readonly SpareRecord[]): DumpEntry[] {
  const entries: DumpEntry[] = [];
  for (const { firstUnit, initialisedPageCount } of spares) {
    const end = firstUnit + initialisedPageCount * DESCRIPTORS_PER_PAGE;
    for (let spareUnit = firstUnit; spareUnit < end; spareUnit += 1) {
      if (table.state(spareUnit) === DescriptorState.free) continue;
      const descriptor: Descriptor = emptyDescriptor();
      table.get(spareUnit, descriptor);
      entries.push([spareUnit, descriptor]);
    }
  }
  return entries;
}

function changedPages(one: RemapTable, other: RemapTable): number[] {
  const changed = new Set<number>();
  const [was, is] = [emptyDescriptor(), emptyDescriptor()];
  for (let spareUnit = 0; spareUnit < one.spareUnitCapacity; spareUnit += 1) {
    if (one.state(spareUnit) === DescriptorState.free && other.state(spareUnit) === DescriptorState.free)
      continue;
    one.get(spareUnit, was);
    other.get(spareUnit, is);
    if (!isSame(was, is)) changed.add(pageOfUnit(spareUnit));
  }
  return [...changed];
}

function isSame(one: Descriptor, other: Descriptor): boolean {
  return (Object.keys(one) as (keyof Descriptor)[]).every((key) => one[key] === other[key]);
}
