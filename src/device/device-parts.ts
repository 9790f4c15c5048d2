import type { Counters } from '../engine/counters.js';
import type { DeviceShape } from '../engine/device-shape.js';
import type { RegionFilter } from '../engine/region-filter.js';
import type { RemapTable } from '../engine/remap-table.js';
import type { SpareAllocator } from '../engine/spare-allocator.js';
import type { BlockStore } from '../ports/block-store.js';
import type { IoMemory } from '../ports/io-memory.js';
import type { Scheduler } from '../ports/scheduler.js';
import type { DeviceEvent } from './device-event.js';
import type { GonePolicy } from './gone-policy.js';
import type { ColdMemory } from './memory-map.js';
import type { MetadataState } from './metadata-state.js';
import type { FindReturned } from './return-candidate.js';

/** What a protected device is made of: its disks, and what was read from them (`assembleSet`). */
export interface DeviceParts {
  /** By target: the main device, then the spares. */
  readonly stores: readonly BlockStore[];
  readonly scheduler: Scheduler;
  readonly memory: IoMemory;
  readonly coldMemory: ColdMemory;
  readonly shape: DeviceShape;
  readonly table: RemapTable;
  readonly filter: RegionFilter;
  readonly allocator: SpareAllocator;
  readonly counters: Counters;
  readonly metadata: MetadataState;
  readonly lostReadsAsZero: boolean;
  readonly onGone: GonePolicy;
  /** What two disks hold is recorded so often; left out, `SETTLE_PERIOD_MS`. */
  readonly settlePeriodMs?: number;
  /** Left out, a device that is gone is only waited for where it was. */
  readonly findReturned: FindReturned | undefined;
  readonly report: (event: DeviceEvent) => void;
  readonly wantPoll: () => void;
}
