import { Breaker } from '../engine/breaker.js';
import { Mirror } from '../engine/mirror.js';
import { Placement } from '../engine/placement.js';
import { RemapPolicy } from '../engine/remap-policy.js';
import { SettledParts } from '../engine/settled-parts.js';
import { SpareSuspension } from '../engine/spare-suspension.js';
import type { IoMemory } from '../ports/io-memory.js';
import type { MetadataWork } from './metadata-writer.js';
import type { EmptySet } from './read-map.js';

/** For the procedures that write metadata, where no device is at work: nobody else changes anything meanwhile. */
export function offlineWork(set: EmptySet, memory: IoMemory, bufferOffset: number): MetadataWork {
  const { shape, table, filter, allocator, counters, metadata } = set;
  return {
    state: metadata,
    memory,
    bufferOffset,
    context: {
      shape,
      table,
      filter,
      allocator,
      counters,
      totalCounters: () => counters,
      breaker: new Breaker(),
      mirror: new Mirror(),
      settled: new SettledParts(shape.mainSizeBytes, undefined),
      suspension: new SpareSuspension(),
      policy: new RemapPolicy(allocator, table),
      placement: new Placement(shape, table, allocator),
      memory: memory.bytes,
      zeroes: { memoryOffset: 0, lengthBytes: 0 },
      lostReadsAsZero: false,
      isDirty: () => true,
      flushFailuresOf: () => 0,
      doubtfulUnits: new Map(),
      doubtfulPlaces: new Set(),
      isMainReadOnly: false,
      isGone: () => false,
      report: () => {},
    },
  };
}
