import type { Breaker } from './breaker.js';
import type { Counters } from './counters.js';
import type { DeviceShape } from './device-shape.js';
import type { DescriptorChange } from './effect.js';
import type { Mirror } from './mirror.js';
import type { Placement } from './placement.js';
import type { RegionFilter } from './region-filter.js';
import type { RemapPolicy } from './remap-policy.js';
import type { RemapTable } from './remap-table.js';
import type { SettledParts } from './settled-parts.js';
import type { SpareAllocator } from './spare-allocator.js';
import type { SpareSuspension } from './spare-suspension.js';

/** What every cold-path procedure works on: the one state of one device. */
export interface ColdContext {
  readonly shape: DeviceShape;
  readonly table: RemapTable;
  readonly filter: RegionFilter;
  readonly allocator: SpareAllocator;
  readonly breaker: Breaker;
  readonly suspension: SpareSuspension;
  readonly policy: RemapPolicy;
  readonly mirror: Mirror;
  readonly settled: SettledParts;
  readonly placement: Placement;
  /** Of this thread. */
  readonly counters: Counters;
  /** Of all threads that serve the device. */
  readonly totalCounters: () => Counters;
  /** All I/O memory; procedures copy within it. */
  readonly memory: Uint8Array;
  /** Memory that is zero and stays so. */
  readonly zeroes: { readonly memoryOffset: number; readonly lengthBytes: number };
  /** `on_lost` is `zero`: lost blocks read as zeroes, counted, instead of an error. Can change at any time. */
  readonly lostReadsAsZero: boolean;
  /** The spare with this target has taken writes that no flush has covered. */
  readonly isDirty: (target: number) => boolean;
  /** Flushes of this target that failed so far. */
  readonly flushFailuresOf: (target: number) => number;
  /**
   * Units whose last commit failed, with the highest move count that may be on disk. Every write to such a unit must
   * commit again with a higher one, or a crash could bring the abandoned descriptor, and its old data, back.
   */
  readonly doubtfulUnits: Map<number, number>;
  /**
   * Spare units that such a descriptor may be of, or that it may have freed. Those in nobody's use are taken until it
   * is withdrawn.
   */
  readonly doubtfulPlaces: Set<number>;
  /** The kernel took no writes for the main device when it was opened: none waits for a flush. */
  readonly isMainReadOnly: boolean;
  /** This device does not answer any more, as far as is known. */
  readonly isGone: (target: number) => boolean;
  /** Says something a person should know; the device adds time and names. */
  readonly report: (event: EngineEvent) => void;
}

/** Memory of one procedure: a unit that is being put together, and a block to probe the device with. */
export interface Scratch {
  readonly unitOffset: number;
  readonly probeOffset: number;
}

export type EngineEvent =
  | {
      readonly kind: 'remapped';
      readonly mainUnit: number;
      readonly spareUnit: number;
      readonly lostMask: number;
      readonly reason: number;
    }
  /** The unit lives on the main device again. */
  | { readonly kind: 'givenBack'; readonly mainUnit: number; readonly spareUnit: number }
  | { readonly kind: 'lost'; readonly mainUnit: number; readonly lostMask: number }
  | { readonly kind: 'regained'; readonly mainUnit: number; readonly lostMask: number }
  | { readonly kind: 'spareUnitRetired'; readonly spareUnit: number }
  | { readonly kind: 'spareFailed'; readonly spareIndex: number; readonly errno: number }
  | { readonly kind: 'spareGone'; readonly spareIndex: number }
  | { readonly kind: 'spareExhausted'; readonly mainUnit: number }
  /** As many units live on spares as may; this one does not move. */
  | { readonly kind: 'remapLimitReached'; readonly mainUnit: number; readonly maxMovedUnits: number }
  | { readonly kind: 'commitFailed'; readonly errno: number }
  | { readonly kind: 'breakerOpened'; readonly reason: string; readonly readsPass: boolean }
  | { readonly kind: 'breakerLetsReadsPass' }
  | { readonly kind: 'breakerClosed' }
  | { readonly kind: 'transientError'; readonly mainUnit: number; readonly errno: number };

/** Descriptor changes that one procedure wants: `first` and `updates` are durable before `afterwards` is begun. */
export interface PendingChanges {
  readonly first: DescriptorChange[];
  /** Units that stay where they are and say something else; committed together with `first`. */
  readonly updates: DescriptorChange[];
  readonly afterwards: DescriptorChange[];
}
