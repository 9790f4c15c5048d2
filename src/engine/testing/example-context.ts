import { DescriptorState, emptyDescriptor } from '../../format/descriptor-page.js';
import { Breaker } from '../breaker.js';
import type { ColdContext, EngineEvent } from '../cold-context.js';
import { newCounters } from '../counters.js';
import { DeviceShape } from '../device-shape.js';
import { Mirror } from '../mirror.js';
import { Placement } from '../placement.js';
import { RegionFilter, RegionFlag } from '../region-filter.js';
import { RemapPolicy } from '../remap-policy.js';
import { RemapTable } from '../remap-table.js';
import { SettledParts } from '../settled-parts.js';
import { SpareAllocator } from '../spare-allocator.js';
import { SpareSuspension } from '../spare-suspension.js';

/** The state of a small device with one spare and nothing remapped. */
export function exampleContext(sizes: ExampleSizes = {}): ColdContext & { readonly events: EngineEvent[] } {
  const { mainSizeBytes = 1 << 20, unitBytes = 4096, logicalBlockBytes = 512 } = sizes;
  const spares = [{ sizeBytes: SPARE_UNITS * unitBytes, firstUnit: 0, unitCount: SPARE_UNITS }];
  const shape = new DeviceShape({ mainSizeBytes, unitBytes, logicalBlockBytes, spares });
  const events: EngineEvent[] = [];
  const table = RemapTable.allocate(SPARE_UNITS);
  const allocator = new SpareAllocator(SPARE_UNITS);
  return {
    shape,
    table,
    filter: RegionFilter.allocate(mainSizeBytes),
    allocator,
    policy: new RemapPolicy(allocator, table),
    placement: new Placement(shape, table, allocator),
    breaker: new Breaker(),
    mirror: new Mirror(),
    settled: new SettledParts(mainSizeBytes, undefined),
    suspension: new SpareSuspension(),
    isDirty: () => true,
    flushFailuresOf: () => 0,
    counters: newCounters(),
    totalCounters: () => newCounters(),
    memory: new Uint8Array(MEMORY_BYTES),
    zeroes: { memoryOffset: MEMORY_BYTES - 4096, lengthBytes: 4096 },
    lostReadsAsZero: false,
    doubtfulUnits: new Map(),
    doubtfulPlaces: new Set(),
    isMainReadOnly: false,
    isGone: () => false,
    events,
    report: (event) => events.push(event),
  };
}

export interface ExampleSizes {
  readonly mainSizeBytes?: number;
  readonly unitBytes?: number;
  readonly logicalBlockBytes?: number;
}

/** Makes a unit one that lives on the next free spare unit; answers that. */
export function remapUnit(context: ColdContext, mainUnit: number, lostMask = 0): number {
  const spareUnit = context.allocator.allocate();
  context.table.set(spareUnit, { ...emptyDescriptor(), state: DescriptorState.mapped, mainUnit, lostMask });
  context.filter.set(mainUnit * context.shape.unitBytes, 1, RegionFlag.remapped);
  return spareUnit;
}

const SPARE_UNITS = 300;
const MEMORY_BYTES = 4 << 20;
