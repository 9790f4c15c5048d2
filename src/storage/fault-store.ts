import { assert } from '../base/assert.js';
import { alignDown, SECTOR_BYTES } from '../base/units.js';
import type { BlockStore, CompletionSink, Geometry } from '../ports/block-store.js';
import type { IoMemory } from '../ports/io-memory.js';
import type { Scheduler } from '../ports/scheduler.js';
import { assertBuffer, assertRange } from './assert-io.js';
import { CompletionQueue } from './completion-queue.js';
import { FaultPlan } from './fault-plan.js';
import type { FaultRule, Operation } from './fault-rule.js';
import { OperationBit } from './fault-rule.js';
import type { SectorRange } from './sector-ranges.js';

/**
 * Another store with the faults of a scenario. Where no rule matches, an operation costs one lookup and is passed on
 * as it is.
 *
 * An operation that is hit fails whole, as on a real disk, and nobody can count on atomicity: a failing write (or
 * writeZeroes) has written what lies before the first bad sector, a failing read leaves 0xde in the buffer. A delay
 * comes before the operation. Faults are per sector of 512 bytes, whatever the logical block of the device is.
 */
export class FaultStore implements BlockStore {
  readonly geometry: Geometry;
  readonly description: string;
  readonly #inner: BlockStore;
  readonly #memory: IoMemory;
  readonly #scheduler: Scheduler;
  readonly #plan: FaultPlan;
  readonly #failures: CompletionQueue;
  readonly #healed: HealedSectors | undefined;
  /** Operations that the inner store does but that end differently; empty while all is well. */
  readonly #touched = new Map<number, TouchedOperation>();
  #waitingCount = 0;

  constructor(inner: BlockStore, rules: readonly FaultRule[], surroundings: FaultStoreSurroundings) {
    this.#inner = inner;
    this.#memory = surroundings.memory;
    this.#scheduler = surroundings.scheduler;
    this.#plan = new FaultPlan(rules);
    this.#failures = new CompletionQueue(surroundings.scheduler);
    this.#healed = surroundings.healed;
    for (const { start, end } of this.#healed?.known() ?? []) this.#plan.heal(start, end);
    this.geometry = inner.geometry;
    this.description = `${inner.description} (with injected faults)`;
  }

  attach(sink: CompletionSink): void {
    this.#failures.attach(sink);
    this.#inner.attach({
      complete: (ticket, result) =>
        sink.complete(ticket, this.#touched.size === 0 ? result : this.#resultOf(ticket, result)),
    });
  }

  read(ticket: number, offsetBytes: number, lengthBytes: number, memoryOffset: number): void {
    if (this.#meets(OperationBit.read, offsetBytes, lengthBytes)) {
      this.#readBadly(ticket, offsetBytes, lengthBytes, memoryOffset);
    } else {
      this.#inner.read(ticket, offsetBytes, lengthBytes, memoryOffset);
    }
  }

  write(
    ticket: number,
    offsetBytes: number,
    lengthBytes: number,
    memoryOffset: number,
    durable: boolean,
  ): void {
    if (this.#meets(OperationBit.write, offsetBytes, lengthBytes)) {
      assertBuffer(this.geometry, this.#memory, memoryOffset, lengthBytes);
      this.#overwriteBadly(ticket, offsetBytes, lengthBytes, (doneBytes) =>
        this.#inner.write(ticket, offsetBytes, doneBytes, memoryOffset, durable),
      );
    } else {
      this.#inner.write(ticket, offsetBytes, lengthBytes, memoryOffset, durable);
    }
  }

  flush(ticket: number): void {
    if (this.#meets(OperationBit.flush, 0, 0)) this.#doBadly(ticket, () => this.#inner.flush(ticket));
    else this.#inner.flush(ticket);
  }

  discard(ticket: number, offsetBytes: number, lengthBytes: number): void {
    if (this.#meets(OperationBit.discard, offsetBytes, lengthBytes)) {
      assertRange(this.geometry, offsetBytes, lengthBytes);
      this.#doBadly(ticket, () => this.#inner.discard(ticket, offsetBytes, lengthBytes));
    } else {
      this.#inner.discard(ticket, offsetBytes, lengthBytes);
    }
  }

  writeZeroes(ticket: number, offsetBytes: number, lengthBytes: number, mayUnmap: boolean): void {
    if (this.#meets(OperationBit.writeZeroes, offsetBytes, lengthBytes)) {
      this.#overwriteBadly(ticket, offsetBytes, lengthBytes, (doneBytes) =>
        this.#inner.writeZeroes(ticket, offsetBytes, doneBytes, mayUnmap),
      );
    } else {
      this.#inner.writeZeroes(ticket, offsetBytes, lengthBytes, mayUnmap);
    }
  }

  allocatedRun(offsetBytes: number, lengthBytes: number): number {
    return this.#inner.allocatedRun(offsetBytes, lengthBytes);
  }

  close(): void {
    const isIdle = this.#waitingCount === 0 && this.#touched.size === 0 && this.#failures.isEmpty;
    assert(isIdle, 'a store is closed with no I/O in flight');
    this.#inner.close();
  }

  #meets(operation: Operation, offsetBytes: number, lengthBytes: number): boolean {
    return this.#plan.meets(
      operation,
      offsetBytes / SECTOR_BYTES,
      (offsetBytes + lengthBytes) / SECTOR_BYTES,
    );
  }

  #readBadly(ticket: number, offsetBytes: number, lengthBytes: number, memoryOffset: number): void {
    assertRange(this.geometry, offsetBytes, lengthBytes);
    assertBuffer(this.geometry, this.#memory, memoryOffset, lengthBytes);
    const { errno } = this.#plan.verdict;
    this.#afterDelay(() => {
      if (errno === 0) {
        this.#inner.read(ticket, offsetBytes, lengthBytes, memoryOffset);
      } else {
        this.#memory.bytes.fill(GARBAGE_BYTE, memoryOffset, memoryOffset + lengthBytes);
        this.#failures.push(ticket, -errno);
      }
    });
  }

  /** `overwrite` is told how much it gets done: all of it, or what lies before the first bad sector. */
  #overwriteBadly(
    ticket: number,
    offsetBytes: number,
    lengthBytes: number,
    overwrite: (doneBytes: number) => void,
  ): void {
    assertRange(this.geometry, offsetBytes, lengthBytes);
    const { errno, firstBadSector, heals } = this.#plan.verdict;
    const beforeBadBytes = firstBadSector * SECTOR_BYTES - offsetBytes;
    const doneBytes = errno === 0 ? lengthBytes : alignDown(beforeBadBytes, this.geometry.logicalBlockBytes);
    const task = (): void => {
      if (doneBytes === 0) return this.#failures.push(ticket, -errno);
      if (errno !== 0 || heals) this.#touched.set(ticket, { errno, offsetBytes, doneBytes });
      overwrite(doneBytes);
    };
    if (errno === 0) this.#afterDelay(task);
    // Not within the call: who links an answer to the one I/O that it made would have it given for a part of it.
    else this.#after(this.#plan.verdict.delayMs, task);
  }

  #doBadly(ticket: number, operation: () => void): void {
    const { errno } = this.#plan.verdict;
    this.#afterDelay(() => (errno === 0 ? operation() : this.#failures.push(ticket, -errno)));
  }

  #afterDelay(task: () => void): void {
    const { delayMs } = this.#plan.verdict;
    if (delayMs === 0) task();
    else this.#after(delayMs, task);
  }

  #after(delayMs: number, task: () => void): void {
    this.#waitingCount += 1;
    this.#scheduler.after(delayMs, () => {
      this.#waitingCount -= 1;
      task();
    });
  }

  /** What the caller is told about an operation that the inner store ended with `result`. */
  #resultOf(ticket: number, result: number): number {
    const touched = this.#touched.get(ticket);
    if (touched === undefined) return result;
    this.#touched.delete(ticket);
    if (result >= 0) {
      const startSector = touched.offsetBytes / SECTOR_BYTES;
      const endSector = startSector + touched.doneBytes / SECTOR_BYTES;
      if (this.#plan.heal(startSector, endSector))
        this.#healed?.remember({ start: startSector, end: endSector });
    }
    return touched.errno === 0 ? result : -touched.errno;
  }
}

export interface FaultStoreSurroundings {
  readonly scheduler: Scheduler;
  /** The memory the inner store does its I/O in. */
  readonly memory: IoMemory;
  /** Where healing outlives the process, as on a real disk; left out, it does not. */
  readonly healed?: HealedSectors;
}

export interface HealedSectors {
  /** What earlier processes have healed. */
  known(): readonly SectorRange[];
  /** Kept when this returns. */
  remember(range: SectorRange): void;
}

interface TouchedOperation {
  /** What it ends with although it succeeded; 0: with its own result. */
  readonly errno: number;
  readonly offsetBytes: number;
  /** How much of it is really done. */
  readonly doneBytes: number;
}

/** A buffer that was handed on after a failed read shows up in tests by this. */
const GARBAGE_BYTE = 0xde;
