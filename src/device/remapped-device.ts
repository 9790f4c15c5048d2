import { ERRNO } from '../base/errno.js';
import type { ColdContext, EngineEvent } from '../engine/cold-context.js';
import { Counter, count } from '../engine/counters.js';
import { MAIN } from '../engine/effect.js';
import type { CompletionSink } from '../ports/block-store.js';
import type { RequestSink, ServedDevice, ServedGeometry, StateRun } from '../ports/served-device.js';
import type { SettingValues } from '../settings/setting-table.js';
import { checkRange, checkTransfer } from './check-request.js';
import { ColdPath } from './cold-path.js';
import { ContentWatch } from './content-watch.js';
import { deviceContext } from './device-context.js';
import type { DeviceParts } from './device-parts.js';
import type { DeviceShare } from './device-share.js';
import { DirtySpares } from './dirty-spares.js';
import { EffectRunner, type RunnerServices } from './effect-runner.js';
import { FlushFailures } from './flush-failures.js';
import { type GoneDevice, GoneDevices } from './gone-devices.js';
import type { GonePolicy } from './gone-policy.js';
import { COLD_TICKET_COUNT, FIRST_COLD_TICKET, RUN_COUNT, SETTLE_PERIOD_MS, SLOT_COUNT } from './limits.js';
import type { ScrubReport } from './metadata-scrub.js';
import { MetadataWriter } from './metadata-writer.js';
import { Outages } from './outages.js';
import { PositionLog } from './position-log.js';
import type { ForwardTarget, QueueLink } from './queue-link.js';
import { addTo, QueueLinks } from './queue-links.js';
import { Replacement } from './replacement.js';
import { RequestQueue } from './request-queue.js';
import { RequestSlots } from './request-slots.js';
import { servedGeometry } from './served-geometry.js';
import { applySettings } from './settings-at-work.js';
import { SharedWords } from './shared-words.js';
import { Operation, type SlotFields } from './slot-fields.js';
import { describeRun } from './state-run.js';
import { Suspension } from './suspension.js';
import { UnitLocks } from './unit-locks.js';
import { UnitsByHand } from './units-by-hand.js';
import { Upkeep } from './upkeep.js';
import { WrittenSamples } from './written-samples.js';

/**
 * One protected device at work: hot path, cold path and metadata on their stores. Other threads may serve queues of it
 * (`QueueDevice`); this one is the owner then, the only one that locks, changes the table and writes metadata.
 */
export class RemappedDevice implements ServedDevice, ForwardTarget, CompletionSink {
  readonly geometry: ServedGeometry;
  readonly slotCount = SLOT_COUNT;
  readonly context: ColdContext;
  readonly metadata: MetadataWriter;
  readonly byHand: UnitsByHand;
  readonly suspension: Suspension;
  readonly replacement: Replacement;
  readonly #parts: DeviceParts;
  readonly #slots = new RequestSlots(SLOT_COUNT);
  readonly #queue: RequestQueue;
  readonly #cold: ColdPath;
  readonly #runner: EffectRunner;
  readonly #words: SharedWords;
  readonly #links: QueueLinks;
  readonly #gone: GoneDevices;
  readonly #outages: Outages;
  /** These two left out where the main device can be told by its serial number. */
  readonly #written: WrittenSamples | undefined;
  readonly #content: ContentWatch | undefined;
  readonly #upkeep: Upkeep;
  readonly #position: PositionLog;
  readonly #flushFailures: FlushFailures;
  #settings: SettingValues | undefined;

  constructor(parts: DeviceParts) {
    this.#parts = parts;
    this.geometry = servedGeometry(parts.shape, parts.stores);
    this.#words = SharedWords.allocate(parts.stores.length);
    this.#words.lostReadsAsZero[0] = parts.lostReadsAsZero ? 1 : 0;
    const dirtySpares = new DirtySpares(this.#words.dirty);
    // An earlier process may have left writes that no flush has covered.
    for (const target of parts.stores.keys()) dirtySpares.noteWritten(target);
    const locks = new UnitLocks(parts.shape, parts.filter, this.#slots, this.#words.locksWaiting);
    this.#links = new QueueLinks(this, locks, this.#words);
    this.#outages = new Outages(parts.stores.length, parts.onGone);
    this.#written = writtenSamplesOf(parts);
    this.#content =
      this.#written && new ContentWatch(this.#written, parts.memory, parts.coldMemory.sampleOffset);
    this.context = this.#coldContext(dirtySpares);
    this.#flushFailures = this.#noFlushFailures(dirtySpares);
    this.#runner = new EffectRunner({
      stores: parts.stores,
      scheduler: parts.scheduler,
      firstTicket: FIRST_COLD_TICKET,
      ticketCount: COLD_TICKET_COUNT,
      services: this.#runnerServices(locks, dirtySpares),
      flushedForOthers: (ticket, result) => this.#queue.complete(ticket, result),
    });
    this.#position = this.#positionLog();
    this.byHand = this.#unitsByHand();
    const lastUnit = Math.ceil(parts.shape.mainSizeBytes / parts.shape.unitBytes) - 1;
    this.suspension = new Suspension(locks, lastUnit, () => this.#queue.retryBlocked());
    this.metadata = new MetadataWriter(
      parts.metadata,
      this.context,
      this.#runner,
      parts.memory,
      parts.coldMemory,
    );
    this.#upkeep = this.#newUpkeep();
    this.replacement = this.#noReplacement();
    this.#queue = new RequestQueue({
      context: this.context,
      stores: parts.stores,
      slots: this.#slots,
      runCount: RUN_COUNT,
      locks,
      dirtySpares,
      goCold: (slot) => this.#cold.take(slot),
      outages: this.#outages,
      written: this.#written,
      turnAway: (slot, target) => this.#gone.turnAway(slot, target),
      flush: (target, ticket) => this.#runner.flush(target, ticket),
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
      noteCacheLost: (target) => this.#noteCacheLost(target),
    });
    this.#cold = this.#coldPath();
  }

  /** Once the device is open: takes what tells a main device without serial number from another. */
  rememberContent(): void {
    const { table, shape } = this.context;
    const isOnSpare = (offsetBytes: number): boolean =>
      table.find(Math.floor(offsetBytes / shape.unitBytes)) !== -1;
    if (this.#content !== undefined) this.#runner.start(this.#content.take(isOnSpare), () => {});
  }

  /** From now on, at once; what was given when the device was made holds until then. Periods run until `endHolding`. */
  applySettings(values: SettingValues): void {
    const { scheduler } = this.#parts;
    const parts = {
      policy: this.context.policy,
      placement: this.context.placement,
      outages: this.#outages,
      nowMs: () => scheduler.nowMs(),
      lostReadsAsZero: this.#words.lostReadsAsZero,
      scrub: this.#upkeep.scrub,
      counterSaving: this.#upkeep.counterSaving,
    };
    applySettings(parts, values, this.#settings);
    this.#settings = values;
  }

  /** Compares all copies of the metadata every so often, until `endHolding`. */
  scrubMetadataEvery(periodMs: number): void {
    this.#upkeep.scrub.every(periodMs);
  }

  /** Once, now, whatever `scrubMetadataEvery` does. `done` isn't called if `endHolding` comes first. */
  scrubMetadata(done: (report: ScrubReport) => void): void {
    this.#upkeep.scrubNow(done);
  }

  get flushFailureCount(): number {
    return this.#flushFailures.count;
  }

  /** For threads that are to serve queues of this device. */
  get share(): DeviceShare {
    const { shape, table, filter } = this.#parts;
    const { mainSizeBytes, unitBytes, logicalBlockBytes, spares } = shape;
    return {
      geometry: this.geometry,
      sizes: { mainSizeBytes, unitBytes, logicalBlockBytes, spares },
      table: table.shared,
      filter: filter.shared,
      words: this.#words.shared,
      written: this.#written?.shared,
    };
  }

  /** A queue that another thread is about to serve. `wake`: makes that thread poll its `QueueDevice`. */
  addQueue(wake: () => void): QueueLink {
    return this.#links.add(wake);
  }

  /** When the thread of the queue has ended, with all its requests answered. What it has counted is kept. */
  removeQueue(link: QueueLink): void {
    this.#links.remove(link);
    addTo(this.context.counters, link.memory.counters);
  }

  get queueCount(): number {
    return this.#links.count;
  }

  acquire(sink: RequestSink): number {
    return this.#slots.acquire(sink);
  }

  release(slot: number): void {
    this.#slots.release(slot);
    if (this.#links.isStarved) this.#parts.wantPoll();
  }

  read(slot: number, offsetBytes: number, lengthBytes: number, memoryOffset: number): boolean {
    checkTransfer(this.geometry, offsetBytes, lengthBytes);
    return this.#queue.read(slot, offsetBytes, lengthBytes, memoryOffset);
  }

  write(
    slot: number,
    offsetBytes: number,
    lengthBytes: number,
    memoryOffset: number,
    durable: boolean,
  ): boolean {
    checkTransfer(this.geometry, offsetBytes, lengthBytes);
    return this.#queue.write(slot, offsetBytes, lengthBytes, memoryOffset, durable);
  }

  hasFailed(slot: number): boolean {
    return this.#slots.failed[slot] !== 0;
  }

  flush(slot: number): void {
    this.#queue.flush(slot);
  }

  discard(slot: number, offsetBytes: number, lengthBytes: number): void {
    checkRange(this.geometry, offsetBytes, lengthBytes);
    count(this.context.counters, Counter.discards);
    this.#written?.noteWrite(offsetBytes, lengthBytes);
    this.#slots.begin(slot, Operation.discard, offsetBytes, lengthBytes, 0, 0);
    this.#takeRange(slot);
  }

  writeZeroes(slot: number, offsetBytes: number, lengthBytes: number, flags: number): void {
    checkRange(this.geometry, offsetBytes, lengthBytes);
    count(this.context.counters, Counter.writeZeroes);
    this.#written?.noteWrite(offsetBytes, lengthBytes);
    this.#slots.begin(slot, Operation.writeZeroes, offsetBytes, lengthBytes, 0, flags);
    this.#takeRange(slot);
  }

  #takeRange(slot: number): void {
    if (this.#outages.isShut(MAIN)) this.#gone.turnAway(slot, MAIN);
    else this.#cold.take(slot);
  }

  /** An I/O has failed for the queue already: straight to the cold path, because a bad sector costs seconds. */
  startForwarded(slot: number, queue: SlotFields, origin: number): void {
    const operation = queue.operation[origin]!;
    const offsetBytes = queue.offsetBytes[origin]!;
    const lengthBytes = queue.lengthBytes[origin]!;
    const memoryOffset = queue.memoryOffset[origin]!;
    this.#slots.begin(slot, operation, offsetBytes, lengthBytes, memoryOffset, queue.flags[origin]!);
    const isRange = operation === Operation.discard || operation === Operation.writeZeroes;
    this.#slots.failed[slot] = queue.failed[origin]!;
    if (isRange) this.#takeRange(slot);
    else if (this.#slots.failed[slot] !== 0) this.#cold.take(slot);
    else this.#queue.start(slot);
  }

  describeRun(offsetBytes: number, lengthBytes: number, run: StateRun): void {
    describeRun(this.context, this.#parts.stores[0]!, offsetBytes, lengthBytes, run);
  }

  complete(ticket: number, result: number): void {
    if (ticket < FIRST_COLD_TICKET) this.#queue.complete(ticket, result);
    else this.#runner.complete(ticket, result);
    if (this.#links.isStarved) this.#parts.wantPoll();
  }

  /** Once per turn of whoever drives the device, and after being woken; true if there is more to do at once. */
  poll(): boolean {
    const more = this.#queue.poll();
    if (this.#links.count === 0) return more;
    return this.#links.poll() || more;
  }

  /** No request and no background work is in hand, on the threads of queues neither. */
  get isIdle(): boolean {
    const isAtRest =
      this.#slots.usedCount === 0 && this.#cold.isIdle && this.metadata.isIdle && this.#links.areAtRest;
    const isQuiet = this.byHand.isIdle && this.#gone.isIdle && this.replacement.isAtRest;
    return isAtRest && isQuiet && this.#content?.isReading !== true;
  }

  /** Devices that do not answer, and what becomes of the requests that need them. */
  get goneDevices(): readonly GoneDevice[] {
    return this.#gone.describe();
  }

  /** By what the main device would be known again if it vanished and came back under another name. */
  get recognisedBy(): 'serialNumber' | 'contents' | 'nothing' {
    if (this.#content?.isKnown === true) return 'contents';
    const { serial, wwn } = this.#parts.stores[MAIN]!.geometry.identity;
    return serial === '' && wwn === '' ? 'nothing' : 'serialNumber';
  }

  get onGone(): GonePolicy {
    return this.#outages.policy;
  }

  /** Before a stop: requests that wait for a device that is gone fail, and nothing waits any more. */
  endHolding(): void {
    this.suspension.end();
    this.byHand.end();
    this.#upkeep.stop();
    this.replacement.stopCopying();
    this.#content?.stop();
    this.#gone.end();
  }

  /**
   * The errno is EIO whatever the store said: after a failed flush nothing is known about earlier writes. Where requests
   * wait for devices, the answer waits too if one is gone: the flush is then made again, and the clients hear of the
   * failure by `flushFailureCount`.
   */
  #flushFailed(slot: number): void {
    if (this.#outages.holds) return this.#cold.take(slot);
    this.#gone.suspectAll();
    count(this.context.counters, Counter.requestsFailed);
    this.#queue.answer(slot, ERRNO.EIO);
  }

  #noteCacheLost(target: number): boolean {
    if (target === MAIN) this.replacement.mainIsBack();
    return this.#flushFailures.noteCacheLost(target);
  }

  #noFlushFailures(dirtySpares: DirtySpares): FlushFailures {
    const { stores, report } = this.#parts;
    return new FlushFailures({ context: this.context, words: this.#words, dirtySpares, stores, report });
  }

  #newUpkeep(): Upkeep {
    const { scheduler, coldMemory, report } = this.#parts;
    const bufferOffset = coldMemory.recoveryOffset;
    return new Upkeep({ metadata: this.metadata, scheduler, bufferOffset, report });
  }

  #coldPath(): ColdPath {
    const parts = {
      context: this.context,
      slots: this.#slots,
      runner: this.#runner,
      outages: this.#outages,
      gone: this.#gone,
      answer: (slot: number, errno: number) => this.#queue.answer(slot, errno),
    };
    return new ColdPath(parts, this.#parts.coldMemory.scratches);
  }

  #noReplacement(): Replacement {
    const { coldMemory, report } = this.#parts;
    return new Replacement({
      context: this.context,
      runner: this.#runner,
      scheduler: this.#parts.scheduler,
      position: this.#position,
      settlePeriodMs: this.#parts.settlePeriodMs ?? SETTLE_PERIOD_MS,
      rooms: coldMemory.copyRooms,
      report,
      noticedAway: () => this.#gone.suspectAll(),
    });
  }

  #positionLog(): PositionLog {
    const { metadata, scheduler, report } = this.#parts;
    return new PositionLog({
      context: this.context,
      runner: this.#runner,
      scheduler,
      metadata: () => this.metadata,
      recorded: metadata.superblock.copyPosition,
      report,
    });
  }

  #unitsByHand(): UnitsByHand {
    const scratch = this.#parts.coldMemory.handScratch;
    return new UnitsByHand({ context: this.context, runner: this.#runner, scratch, written: this.#written });
  }

  #coldContext(dirtySpares: DirtySpares): ColdContext {
    const parts = this.#parts;
    return deviceContext({
      ...parts,
      words: this.#words,
      dirtySpares,
      totalCounters: () => this.#links.totalCounters(parts.counters),
      isGone: (target) => this.#outages.isGone(target),
      onEvent: (event) => this.#onEngineEvent(event),
    });
  }

  #onEngineEvent(event: EngineEvent): void {
    this.#parts.report(event);
    if (event.kind === 'breakerClosed' || event.kind === 'breakerLetsReadsPass')
      this.replacement.mainIsBack();
    this.#gone.onEvent(event);
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
      unsettle: (parts, done) => this.#position.unsettle(parts, done),
      noteWritten: (target) => dirtySpares.noteWritten(target),
      noteFlushStarted: (target) => dirtySpares.noteFlushStarted(target),
      noteFlushEnded: (target, succeeded) => {
        dirtySpares.noteFlushEnded(target, succeeded);
        if (!succeeded) this.#flushFailures.noteFailed(target);
      },
    };
  }
}

/** A device that has a serial number or a WWN is told by that. */
function writtenSamplesOf(parts: DeviceParts): WrittenSamples | undefined {
  const { serial, wwn } = parts.stores[MAIN]!.geometry.identity;
  if (serial !== '' || wwn !== '' || parts.findReturned === undefined) return undefined;
  return WrittenSamples.allocate(parts.shape.mainSizeBytes);
}
