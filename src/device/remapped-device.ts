import { assert } from '../base/assert.js';
import { ERRNO } from '../base/errno.js';
import { Breaker } from '../engine/breaker.js';
import type { ColdContext, EngineEvent } from '../engine/cold-context.js';
import type { Counters } from '../engine/counters.js';
import { Counter, count } from '../engine/counters.js';
import type { DeviceShape } from '../engine/device-shape.js';
import type { RegionFilter } from '../engine/region-filter.js';
import type { RemapTable } from '../engine/remap-table.js';
import type { SpareAllocator } from '../engine/spare-allocator.js';
import { SpareSuspension } from '../engine/spare-suspension.js';
import type { BlockStore, CompletionSink } from '../ports/block-store.js';
import type { IoMemory } from '../ports/io-memory.js';
import type { Scheduler } from '../ports/scheduler.js';
import type { RequestSink, ServedDevice, ServedGeometry, StateRun } from '../ports/served-device.js';
import { MAX_TRANSFER_BYTES } from '../ports/served-device.js';
import { ColdPath } from './cold-path.js';
import { DirtySpares } from './dirty-spares.js';
import { EffectRunner } from './effect-runner.js';
import { COLD_TICKET_COUNT, FIRST_COLD_TICKET, RUN_COUNT, SLOT_COUNT } from './limits.js';
import type { ColdMemory } from './memory-map.js';
import type { MetadataState } from './metadata-state.js';
import { MetadataWriter } from './metadata-writer.js';
import { RequestQueue } from './request-queue.js';
import { Operation, RequestSlots } from './request-slots.js';
import { describeRun } from './state-run.js';
import { UnitLocks } from './unit-locks.js';

/** One protected device at work: hot path, cold path and metadata on their stores. */
export class RemappedDevice implements ServedDevice, CompletionSink {
  readonly geometry: ServedGeometry;
  readonly slotCount = SLOT_COUNT;
  readonly context: ColdContext;
  readonly metadata: MetadataWriter;
  readonly #parts: DeviceParts;
  readonly #slots = new RequestSlots(SLOT_COUNT);
  readonly #queue: RequestQueue;
  readonly #cold: ColdPath;
  readonly #runner: EffectRunner;
  #flushFailureCount = 0;

  constructor(parts: DeviceParts) {
    this.#parts = parts;
    this.geometry = servedGeometry(parts);
    const dirtySpares = new DirtySpares(parts.stores.length);
    this.context = coldContext(parts, dirtySpares);
    const locks = new UnitLocks(parts.shape, parts.filter, this.#slots);
    this.#runner = new EffectRunner({
      stores: parts.stores,
      scheduler: parts.scheduler,
      firstTicket: FIRST_COLD_TICKET,
      ticketCount: COLD_TICKET_COUNT,
      services: {
        lock: (firstUnit, lastUnit, granted) => locks.lock(firstUnit, lastUnit, granted),
        tryLock: (firstUnit, lastUnit) => locks.tryLock(firstUnit, lastUnit),
        unlock: (lockId) => {
          locks.unlock(lockId);
          this.#queue.retryBlocked();
        },
        commit: (changes, done) => this.metadata.commit(changes, done),
        noteWritten: (target) => dirtySpares.noteWritten(target),
        flushMark: (target) => dirtySpares.mark(target),
        noteFlushed: (target, mark) => dirtySpares.noteFlushed(target, mark),
        noteFlushFailed: (target) => {
          dirtySpares.noteFlushFailed(target);
          this.#countFlushFailure();
        },
      },
    });
    this.metadata = new MetadataWriter(
      parts.metadata,
      this.context,
      this.#runner,
      parts.memory,
      parts.coldMemory,
    );
    this.#queue = new RequestQueue({
      context: this.context,
      stores: parts.stores,
      slots: this.#slots,
      runCount: RUN_COUNT,
      locks,
      dirtySpares,
      goCold: (slot) => this.#cold.take(slot),
      breakerFailed: (slot) => this.#cold.failByBreaker(slot),
      flushFailed: (slot) => this.#flushFailed(slot),
      wantPoll: parts.wantPoll,
    });
    this.#cold = new ColdPath(
      {
        context: this.context,
        slots: this.#slots,
        runner: this.#runner,
        scheduler: parts.scheduler,
        answer: (slot, errno) => this.#queue.answer(slot, errno),
      },
      parts.coldMemory.scratches,
    );
  }

  get flushFailureCount(): number {
    return this.#flushFailureCount;
  }

  acquire(sink: RequestSink): number {
    return this.#slots.acquire(sink);
  }

  release(slot: number): void {
    this.#slots.release(slot);
  }

  read(slot: number, offsetBytes: number, lengthBytes: number, memoryOffset: number): void {
    this.#check(offsetBytes, lengthBytes, MAX_TRANSFER_BYTES);
    this.#queue.read(slot, offsetBytes, lengthBytes, memoryOffset);
  }

  write(
    slot: number,
    offsetBytes: number,
    lengthBytes: number,
    memoryOffset: number,
    durable: boolean,
  ): void {
    this.#check(offsetBytes, lengthBytes, MAX_TRANSFER_BYTES);
    this.#queue.write(slot, offsetBytes, lengthBytes, memoryOffset, durable);
  }

  flush(slot: number): void {
    this.#queue.flush(slot);
  }

  discard(slot: number, offsetBytes: number, lengthBytes: number): void {
    this.#check(offsetBytes, lengthBytes, this.geometry.sizeBytes);
    count(this.context.counters, Counter.discards);
    this.#slots.begin(slot, Operation.discard, offsetBytes, lengthBytes, 0, 0);
    this.#cold.take(slot);
  }

  writeZeroes(slot: number, offsetBytes: number, lengthBytes: number, flags: number): void {
    this.#check(offsetBytes, lengthBytes, this.geometry.sizeBytes);
    count(this.context.counters, Counter.writeZeroes);
    this.#slots.begin(slot, Operation.writeZeroes, offsetBytes, lengthBytes, 0, flags);
    this.#cold.take(slot);
  }

  describeRun(offsetBytes: number, lengthBytes: number, run: StateRun): void {
    describeRun(this.context, this.#parts.stores[0]!, offsetBytes, lengthBytes, run);
  }

  complete(ticket: number, result: number): void {
    if (ticket < FIRST_COLD_TICKET) this.#queue.complete(ticket, result);
    else this.#runner.complete(ticket, result);
  }

  /** Once per turn of whoever drives the device; true if there is more to do at once. */
  poll(): boolean {
    return this.#queue.poll();
  }

  /** No request and no background work is in hand. */
  get isIdle(): boolean {
    return this.#slots.usedCount === 0 && this.#cold.isIdle && this.metadata.isIdle;
  }

  /** The errno is EIO whatever the store said: after a failed flush nothing is known about earlier writes. */
  #flushFailed(slot: number): void {
    this.#countFlushFailure();
    count(this.context.counters, Counter.requestsFailed);
    this.#queue.answer(slot, ERRNO.EIO);
  }

  #countFlushFailure(): void {
    this.#flushFailureCount += 1;
    count(this.context.counters, Counter.flushErrors);
    this.#parts.report({ kind: 'flushFailed' });
  }

  #check(offsetBytes: number, lengthBytes: number, limitBytes: number): void {
    const block = this.geometry.logicalBlockBytes;
    assert(lengthBytes > 0 && lengthBytes <= limitBytes, `request of ${lengthBytes} bytes`);
    assert(offsetBytes % block === 0 && lengthBytes % block === 0, 'requests are whole logical blocks');
    assert(
      offsetBytes >= 0 && offsetBytes + lengthBytes <= this.geometry.sizeBytes,
      'request inside the device',
    );
  }
}

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
  readonly report: (event: DeviceEvent) => void;
  readonly wantPoll: () => void;
}

export type DeviceEvent = EngineEvent | { readonly kind: 'flushFailed' };

function coldContext(parts: DeviceParts, dirtySpares: DirtySpares): ColdContext {
  return {
    shape: parts.shape,
    table: parts.table,
    filter: parts.filter,
    allocator: parts.allocator,
    breaker: new Breaker(),
    suspension: new SpareSuspension(),
    counters: parts.counters,
    memory: parts.memory.bytes,
    zeroes: parts.coldMemory.zeroes,
    lostReadsAsZero: parts.lostReadsAsZero,
    isDirty: (target) => dirtySpares.isDirty(target),
    flushFailuresOf: (target) => dirtySpares.flushFailures(target),
    doubtfulUnits: new Map(),
    report: parts.report,
  };
}

function servedGeometry(parts: DeviceParts): ServedGeometry {
  const main = parts.stores[0]!.geometry;
  return {
    sizeBytes: parts.shape.mainSizeBytes,
    logicalBlockBytes: parts.shape.logicalBlockBytes,
    preferredBlockBytes: parts.shape.unitBytes,
    memoryAlignmentBytes: Math.max(...parts.stores.map((store) => store.geometry.memoryAlignmentBytes)),
    takesRequestBuffers: parts.stores.every((store) => store.takesRequestBuffers === true),
    physicalBlockBytes: Math.max(main.physicalBlockBytes, parts.shape.logicalBlockBytes),
    rotational: main.rotational,
    readOnly: main.readOnly,
    queue: {
      ...main.queue,
      volatileCache: parts.stores.some((store) => store.geometry.queue.volatileCache),
    },
  };
}
