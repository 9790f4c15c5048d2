import { assert } from '../base/assert.js';
import { ERRNO } from '../base/errno.js';
import { Breaker } from '../engine/breaker.js';
import type { ColdContext, EngineEvent } from '../engine/cold-context.js';
import type { Counters } from '../engine/counters.js';
import { Counter, count } from '../engine/counters.js';
import type { DeviceShape } from '../engine/device-shape.js';
import { MAIN } from '../engine/effect.js';
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
import { ContentWatch } from './content-watch.js';
import type { DeviceEvent } from './device-event.js';
import { DirtySpares } from './dirty-spares.js';
import { EffectRunner, type RunnerServices } from './effect-runner.js';
import { type GoneDevice, GoneDevices } from './gone-devices.js';
import type { GonePolicy } from './gone-policy.js';
import { COLD_TICKET_COUNT, FIRST_COLD_TICKET, RUN_COUNT, SLOT_COUNT } from './limits.js';
import type { ColdMemory } from './memory-map.js';
import type { MetadataState } from './metadata-state.js';
import { MetadataWriter } from './metadata-writer.js';
import { Outages } from './outages.js';
import { RequestQueue } from './request-queue.js';
import { Operation, RequestSlots } from './request-slots.js';
import type { FindReturned } from './return-candidate.js';
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
  readonly #gone: GoneDevices;
  readonly #outages: Outages;
  readonly #content: ContentWatch | undefined;
  #flushFailureCount = 0;

  constructor(parts: DeviceParts) {
    this.#parts = parts;
    this.geometry = servedGeometry(parts);
    const dirtySpares = new DirtySpares(parts.stores.length);
    this.#outages = new Outages(parts.stores.length, parts.onGone);
    this.#content = contentWatchOf(parts);
    this.context = coldContext(parts, dirtySpares, this.#outages, (event) => {
      parts.report(event);
      this.#gone.onEvent(event);
    });
    const locks = new UnitLocks(parts.shape, parts.filter, this.#slots);
    this.#runner = new EffectRunner({
      stores: parts.stores,
      scheduler: parts.scheduler,
      firstTicket: FIRST_COLD_TICKET,
      ticketCount: COLD_TICKET_COUNT,
      services: this.#runnerServices(locks, dirtySpares),
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
      outages: this.#outages,
      content: this.#content,
      turnAway: (slot, target) => this.#gone.turnAway(slot, target),
      flushFailed: (slot) => this.#flushFailed(slot),
      wantPoll: parts.wantPoll,
    });
    this.#gone = new GoneDevices({
      ...parts,
      context: this.context,
      outages: this.#outages,
      slots: this.#slots,
      runner: this.#runner,
      scratch: parts.coldMemory.watchScratch,
      recoveryOffset: parts.coldMemory.recoveryOffset,
      state: parts.metadata,
      metadata: this.metadata,
      content: this.#content,
      begin: (slot) => this.#queue.begin(slot),
      answer: (slot, errno) => this.#queue.answer(slot, errno),
      noteCacheLost: (target) => this.#noteCacheLost(target, dirtySpares),
    });
    this.#cold = new ColdPath(
      {
        context: this.context,
        slots: this.#slots,
        runner: this.#runner,
        outages: this.#outages,
        gone: this.#gone,
        answer: (slot, errno) => this.#queue.answer(slot, errno),
      },
      parts.coldMemory.scratches,
    );
  }

  /** Once the device is open: takes what tells a main device without serial number from another. */
  rememberContent(): void {
    const { table, shape } = this.context;
    const isOnSpare = (offsetBytes: number): boolean =>
      table.find(Math.floor(offsetBytes / shape.unitBytes)) !== -1;
    if (this.#content !== undefined) this.#runner.start(this.#content.take(isOnSpare), () => {});
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
    this.#content?.noteWrite(offsetBytes, lengthBytes);
    this.#slots.begin(slot, Operation.discard, offsetBytes, lengthBytes, 0, 0);
    this.#takeRange(slot);
  }

  writeZeroes(slot: number, offsetBytes: number, lengthBytes: number, flags: number): void {
    this.#check(offsetBytes, lengthBytes, this.geometry.sizeBytes);
    count(this.context.counters, Counter.writeZeroes);
    this.#content?.noteWrite(offsetBytes, lengthBytes);
    this.#slots.begin(slot, Operation.writeZeroes, offsetBytes, lengthBytes, 0, flags);
    this.#takeRange(slot);
  }

  #takeRange(slot: number): void {
    if (this.#outages.isShut(MAIN)) this.#gone.turnAway(slot, MAIN);
    else this.#cold.take(slot);
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
    const isAtRest = this.#slots.usedCount === 0 && this.#cold.isIdle && this.metadata.isIdle;
    return isAtRest && this.#gone.isIdle && this.#content?.isReading !== true;
  }

  /** Devices that do not answer, and what becomes of the requests that need them. */
  get goneDevices(): readonly GoneDevice[] {
    return this.#gone.describe();
  }

  get onGone(): GonePolicy {
    return this.#parts.onGone;
  }

  /** Before a stop: requests that wait for a device that is gone fail, and nothing waits any more. */
  endHolding(): void {
    this.#content?.stop();
    this.#gone.end();
  }

  /**
   * The errno is EIO whatever the store said: after a failed flush nothing is known about earlier writes. Where requests
   * wait for devices, the answer waits too if one is gone: the flush is then made again, and the clients hear of the
   * failure by `flushFailureCount`.
   */
  #flushFailed(slot: number): void {
    this.#countFlushFailure();
    if (this.#outages.holds) return this.#cold.take(slot);
    this.#gone.suspectAll();
    count(this.context.counters, Counter.requestsFailed);
    this.#queue.answer(slot, ERRNO.EIO);
  }

  /** A device with a cache may have lost what it had not made durable: as after a flush that failed. */
  #noteCacheLost(target: number, dirtySpares: DirtySpares): boolean {
    const { volatileCache } = this.#parts.stores[target]!.geometry.queue;
    if (!volatileCache || !dirtySpares.isDirty(target)) return false;
    dirtySpares.noteFlushFailed(target);
    this.#flushFailureCount += 1;
    return true;
  }

  #countFlushFailure(): void {
    this.#flushFailureCount += 1;
    count(this.context.counters, Counter.flushErrors);
    this.#parts.report({ kind: 'flushFailed' });
  }

  #runnerServices(locks: UnitLocks, dirtySpares: DirtySpares): RunnerServices {
    return {
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
    };
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
  readonly onGone: GonePolicy;
  /** Left out, a device that is gone is only waited for where it was. */
  readonly findReturned: FindReturned | undefined;
  readonly report: (event: DeviceEvent) => void;
  readonly wantPoll: () => void;
}

/** A device that has a serial number or a WWN is told by that. */
function contentWatchOf(parts: DeviceParts): ContentWatch | undefined {
  const { serial, wwn } = parts.stores[MAIN]!.geometry.identity;
  if (serial !== '' || wwn !== '' || parts.findReturned === undefined) return undefined;
  return new ContentWatch(parts.shape.mainSizeBytes, parts.memory, parts.coldMemory.sampleOffset);
}

function coldContext(
  parts: DeviceParts,
  dirtySpares: DirtySpares,
  outages: Outages,
  report: (event: EngineEvent) => void,
): ColdContext {
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
    doubtfulPlaces: new Set(),
    isGone: (target) => outages.isGone(target),
    report,
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
