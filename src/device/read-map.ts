import { type Counters, newCounters } from '../engine/counters.js';
import { DeviceShape } from '../engine/device-shape.js';
import type { Procedure, Target } from '../engine/effect.js';
import { RegionFilter } from '../engine/region-filter.js';
import { RemapTable } from '../engine/remap-table.js';
import { SpareAllocator } from '../engine/spare-allocator.js';
import { reservedUnitRanges } from '../format/reserved-units.js';
import type { SuperblockChoice } from '../format/superblock-choice.js';
import type { IoMemory } from '../ports/io-memory.js';
import { DescriptorIntake } from './descriptor-intake.js';
import { type LoadInput, type LoadReport, loadDescriptors } from './load-descriptors.js';
import { type MetadataState, metadataStateOf } from './metadata-state.js';
import { noteOlderPages } from './note-older-pages.js';

/** Reads the map of the superblock that was chosen. Whether it may be used is the caller's to judge. */
export function* readMap(input: MapInput, choice: SuperblockChoice): Procedure<ReadMap> {
  const set = emptySet(choice);
  const intake = new DescriptorIntake(set);
  const load = yield* loadDescriptors({
    superblock: choice.superblock,
    targetOfSpare: (spareIndex) => input.devices[choice.deviceOfSpare[spareIndex]!]?.target,
    memory: input.memory,
    bufferOffset: input.bufferOffset,
    accept: (spareUnit, descriptor) => intake.accept(spareUnit, descriptor),
    acceptPage: (page, sequence) => {
      set.metadata.pageSequences[page] = sequence;
    },
    ...(input.acceptVersions && { acceptVersions: input.acceptVersions }),
  });
  noteOlderPages(choice.superblock, set.metadata.pageSequences, load);
  for (const page of load.repairTwice) set.metadata.pagesThatMayHide.add(page);
  return { ...set, load, intake };
}

export interface MapInput {
  readonly devices: readonly { readonly target: Target }[];
  readonly memory: IoMemory;
  /** Room for `RECOVERY_READ_BYTES` of each copy. */
  readonly bufferOffset: number;
  readonly acceptVersions?: LoadInput['acceptVersions'];
}

export interface ReadMap extends EmptySet {
  readonly load: LoadReport;
  readonly intake: DescriptorIntake;
}

/** A set in memory before its map is. */
export interface EmptySet {
  readonly choice: SuperblockChoice;
  readonly shape: DeviceShape;
  readonly table: RemapTable;
  readonly filter: RegionFilter;
  readonly allocator: SpareAllocator;
  readonly counters: Counters;
  readonly metadata: MetadataState;
}

export function emptySet(choice: SuperblockChoice): EmptySet {
  const { superblock } = choice;
  const { mainSizeBytes } = superblock;
  const shape = new DeviceShape(superblock);
  const allocator = new SpareAllocator(shape.spareUnitCount);
  for (const { firstUnit, unitCount } of reservedUnitRanges(superblock))
    allocator.takeRange(firstUnit, unitCount);
  return {
    choice,
    shape,
    table: RemapTable.allocate(shape.spareUnitCount),
    filter: RegionFilter.allocate(mainSizeBytes),
    allocator,
    counters: newCounters(superblock.counters),
    metadata: { ...metadataStateOf(superblock), superblockMayHide: choice.needsTwoUpdates },
  };
}
