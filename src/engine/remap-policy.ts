import type { RemapTable } from './remap-table.js';
import type { SpareAllocator } from './spare-allocator.js';

/**
 * What a person has decided about moving units; may change at any time. Pure: the time is handed in. Also remembers which units
 * were read with retries lately, of the last ones `MAX_REMEMBERED_UNITS` at most.
 */
export class RemapPolicy {
  /** How many units may live on spares, or be on their way there; `Infinity`: as many as there is room for. */
  maxMovedUnits = Number.POSITIVE_INFINITY;
  /** Reads of a unit that retries saved, within `WINDOW_MS`, until it moves; 1: the first one moves it. */
  recoveredReadsUntilMove = 1;
  readonly #allocator: SpareAllocator;
  readonly #table: RemapTable;
  /** Units that hold no data, whatever happens: those of the metadata. */
  readonly #reservedCount: number;
  /** By main unit. */
  readonly #recoveredReads = new Map<number, RecoveredReads>();

  /** `allocator` and `table` of a set that was just put together: nothing is on its way. */
  constructor(allocator: SpareAllocator, table: RemapTable) {
    this.#allocator = allocator;
    this.#table = table;
    this.#reservedCount = allocator.takenCount - table.mappedCount - table.retiredCount;
  }

  /** One more unit may leave the main device. Units that move from spare to spare are not asked for. */
  get hasRoom(): boolean {
    return this.movedCount < this.maxMovedUnits;
  }

  /** Units on spares and on their way there. */
  get movedCount(): number {
    return this.#allocator.takenCount - this.#reservedCount - this.#table.retiredCount;
  }

  /** A unit with medium errors was read in the end, nothing being lost: true if it is to move now. */
  noteRecoveredRead(mainUnit: number, nowMs: number): boolean {
    if (this.recoveredReadsUntilMove === 1) return true;
    const before = this.#recoveredReads.get(mainUnit);
    const isRecent = before !== undefined && nowMs < before.firstMs + WINDOW_MS;
    const reads = isRecent ? { ...before, count: before.count + 1 } : { firstMs: nowMs, count: 1 };
    // The one that was noted last comes last.
    this.#recoveredReads.delete(mainUnit);
    if (reads.count >= this.recoveredReadsUntilMove) return true;
    this.#recoveredReads.set(mainUnit, reads);
    if (this.#recoveredReads.size > MAX_REMEMBERED_UNITS) this.#forgetOldest();
    return false;
  }

  #forgetOldest(): void {
    const [oldest] = this.#recoveredReads.keys();
    this.#recoveredReads.delete(oldest!);
  }
}

interface RecoveredReads {
  readonly firstMs: number;
  readonly count: number;
}

/** As the kernel module's. */
const WINDOW_MS = 300_000;
/** Some hundred kilobytes; who has more units that fail now and then should not wait with moving them. */
const MAX_REMEMBERED_UNITS = 4096;
