import { Breaker } from '../engine/breaker.js';
import type { ColdContext, EngineEvent } from '../engine/cold-context.js';
import type { Counters } from '../engine/counters.js';
import type { DeviceShape } from '../engine/device-shape.js';
import { MAIN } from '../engine/effect.js';
import { Mirror } from '../engine/mirror.js';
import { Placement } from '../engine/placement.js';
import type { RegionFilter } from '../engine/region-filter.js';
import { RemapPolicy } from '../engine/remap-policy.js';
import type { RemapTable } from '../engine/remap-table.js';
import { SettledParts } from '../engine/settled-parts.js';
import type { SpareAllocator } from '../engine/spare-allocator.js';
import { SpareSuspension } from '../engine/spare-suspension.js';
import type { BlockStore } from '../ports/block-store.js';
import type { IoMemory } from '../ports/io-memory.js';
import type { DirtySpares } from './dirty-spares.js';
import type { ColdMemory } from './memory-map.js';
import type { MetadataState } from './metadata-state.js';
import type { SharedWords } from './shared-words.js';

/** The state of a device that has just been opened, for the procedures of its cold path. */
export function deviceContext(parts: ContextParts): ColdContext {
  const { shape, table, filter, allocator, counters, memory, coldMemory, dirtySpares } = parts;
  const { breaker, lostReadsAsZero } = parts.words;
  return {
    shape,
    table,
    filter,
    allocator,
    breaker: new Breaker(breaker),
    suspension: new SpareSuspension(),
    mirror: new Mirror(),
    settled: new SettledParts(shape.mainSizeBytes, parts.metadata.superblock.copyPosition),
    policy: new RemapPolicy(allocator, table),
    placement: new Placement(shape, table, allocator),
    counters,
    totalCounters: parts.totalCounters,
    memory: memory.bytes,
    zeroes: coldMemory.zeroes,
    get lostReadsAsZero() {
      return lostReadsAsZero[0] !== 0;
    },
    isDirty: (target) => dirtySpares.isDirty(target),
    flushFailuresOf: (target) => dirtySpares.flushFailures(target),
    doubtfulUnits: new Map(),
    doubtfulPlaces: new Set(),
    isMainReadOnly: parts.stores[MAIN]!.geometry.readOnly,
    isGone: parts.isGone,
    report: parts.onEvent,
  };
}

export interface ContextParts {
  /** By target. */
  readonly stores: readonly Pick<BlockStore, 'geometry'>[];
  readonly shape: DeviceShape;
  readonly table: RemapTable;
  readonly filter: RegionFilter;
  readonly allocator: SpareAllocator;
  readonly counters: Counters;
  readonly memory: IoMemory;
  readonly metadata: Pick<MetadataState, 'superblock'>;
  readonly coldMemory: ColdMemory;
  readonly words: SharedWords;
  readonly dirtySpares: DirtySpares;
  readonly totalCounters: () => Counters;
  readonly isGone: (target: number) => boolean;
  readonly onEvent: (event: EngineEvent) => void;
}
