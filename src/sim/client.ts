import { ERRNO, errnoName } from '../base/errno.js';
import type { RequestSink, ServedDevice } from '../ports/served-device.js';
import { WriteZeroesFlag } from '../ports/served-device.js';
import type { Actor } from './actor.js';
import type { BlockModel, ModelFlush } from './block-model.js';
import { fillBlock, Version, versionAt } from './block-pattern.js';
import { check } from './check-failure.js';
import type { Excuses } from './excuses.js';
import type { RequestStep } from './history.js';
import { ioMemory, payloadOffset } from './machine-memory.js';
import type { ModelRequest } from './model-request.js';
import type { RequestCounts } from './request-counts.js';
import type { Scenario } from './scenario.js';
import type { SimClock } from './sim-clock.js';
import type { Statistics } from './statistics.js';
import { UnflushedWrites } from './unflushed-writes.js';

/** Sends requests, several at a time, and holds every answer against the model. */
export class Client {
  readonly #parts: ClientParts;
  readonly #freeBuffers: number[] = [];
  readonly #pending = new Set<PendingRequest>();
  readonly #unflushed = new UnflushedWrites();
  #lastErrno = 0;
  /**
   * After a flush of a disk has failed, a block device fails the flushes that are under way, or the next one. Those that failed
   * until then have been told of: when the last flush began that was answered. What failed after that it may not have known.
   */
  #toldUntilUs = 0;
  #failedFlushCount = 0;

  constructor(parts: ClientParts) {
    this.#parts = parts;
    for (let index = 0; index < BUFFER_COUNT; index += 1)
      this.#freeBuffers.push(payloadOffset + index * BUFFER_BYTES);
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  get canSend(): boolean {
    return this.#pending.size < this.#parts.scenario.inFlightMax;
  }

  /** What changes something is at work in so many places, or on so many blocks. */
  isBusyIn(blockCount: number): boolean {
    const changing = [...this.#pending].filter(({ step }) => !['read', 'flush'].includes(step.operation));
    const changed = changing.reduce((sum, { step }) => sum + step.count, 0);
    return changing.length >= MANY_PLACES || changed >= blockCount;
  }

  send(step: RequestStep, device: ClientDevice, actor: Actor): void {
    const { model, clock, statistics } = this.#parts;
    const request = new PendingRequest(step, device, clock.nowUs, (errno) => this.#completed(request, errno));
    request.slot = device.acquire(request);
    check(request.slot !== -1, 'model', 'a slot is free');
    request.memoryOffset = this.#freeBuffers.pop()!;
    statistics.requests += 1;
    this.#parts.counts.noteSent(step);
    if (step.operation === 'read') {
      request.model = model.beginRead(step.first, step.count);
    } else if (step.operation === 'flush') {
      request.flush = model.beginFlush();
      request.mark = this.#unflushed.flushStarted();
      request.failuresBefore = this.#failuresHeardOf(device);
      request.toldBeforeUs = this.#toldUntilUs;
    } else {
      request.version = this.#versionOf(step);
      request.model = model.beginWrite(step.first, step.count, request.version);
      this.#unflushed.writeStarted(device.flushFailureCount);
    }
    this.#pending.add(request);
    actor.run(() => this.#start(request));
  }

  /** One read with nothing else under way; `wait` lets it come to its end. */
  readAlone(first: number, count: number, device: ClientDevice, actor: Actor, wait: () => void): ReadResult {
    const { blockBytes } = this.#parts.scenario;
    const operation = 'read';
    this.send({ ...NO_STEP, operation, first, count }, device, actor);
    const from = this.#freeBuffers.length;
    wait();
    check(this.#freeBuffers.length === from + 1, 'model', 'nothing else was under way');
    const at = this.#freeBuffers.at(-1)! - first * blockBytes;
    const versionOf = (block: number): number =>
      versionAt(ioMemory.view, at + block * blockBytes, blockBytes, block);
    return { errno: this.#lastErrno, versionOf };
  }

  /** The process is gone: there will be no answers. */
  forget(): void {
    for (const { memoryOffset } of this.#pending) this.#freeBuffers.push(memoryOffset);
    this.#pending.clear();
    this.#unflushed.reset();
  }

  /** Another process serves the block device: what has no answer is asked of that one. */
  goesOn(): void {
    for (const request of this.#pending)
      if (request.flush !== undefined) request.flush = this.#parts.model.beginFlush();
  }

  /** All that was acknowledged is durable if the device has stopped cleanly and no flush failed. */
  mayTrustStop(flushFailureCount: number): boolean {
    return this.#unflushed.heardOfAll(flushFailureCount);
  }

  describePending(): string {
    return [...this.#pending].map(({ step }) => describeRequest(step)).join('; ');
  }

  #versionOf({ operation }: RequestStep): number {
    if (operation === 'zero') return Version.zero;
    return operation === 'discard' ? Version.anything : this.#parts.model.nextVersion();
  }

  #start(request: PendingRequest): void {
    const { blockBytes } = this.#parts.scenario;
    const { step, device, slot, memoryOffset, version } = request;
    const offsetBytes = step.first * blockBytes;
    const lengthBytes = step.count * blockBytes;
    switch (step.operation) {
      case 'read':
        device.read(slot, offsetBytes, lengthBytes, memoryOffset);
        return;
      case 'write':
        for (let index = 0; index < step.count; index += 1) {
          const at = memoryOffset + index * blockBytes;
          fillBlock(ioMemory.bytes, ioMemory.view, at, blockBytes, step.first + index, version);
        }
        device.write(slot, offsetBytes, lengthBytes, memoryOffset, step.durable);
        return;
      case 'flush':
        return device.flush(slot);
      case 'discard':
        return device.discard(slot, offsetBytes, lengthBytes);
      case 'zero':
        return device.writeZeroes(slot, offsetBytes, lengthBytes, step.flags);
    }
  }

  #completed(request: PendingRequest, errno: number): void {
    const { log } = this.#parts;
    check(this.#pending.delete(request), 'model', 'a request is answered once');
    this.#freeBuffers.push(request.memoryOffset);
    log?.(`${describeRequest(request.step)} -> ${errno === 0 ? 'done' : errnoName(errno)}`);
    this.#lastErrno = errno;
    if (errno !== 0) this.#parts.statistics.failedRequests += 1;
    if (errno !== 0 && errno !== ERRNO.EOPNOTSUPP) this.#parts.counts.noteFailed();
    if (request.step.operation === 'read') this.#endRead(request, errno);
    else if (request.step.operation === 'flush') this.#endFlush(request, errno);
    else this.#endWrite(request, errno);
  }

  #endRead(request: PendingRequest, errno: number): void {
    const { model, scenario, excuses, mayReadLostAsZero, isBeingCopied } = this.#parts;
    if (errno !== 0) {
      const isExcused = model.endFailedRead(request.model!) || excuses.silenceSince(request.startedAtUs);
      check(errno === ERRNO.EIO, 'readError', `a read fails with EIO, not ${errnoName(errno)}`);
      check(isExcused, 'readError', `${describeRequest(request.step)} fails, and nothing of it can be lost`);
      return;
    }
    const { blockBytes } = scenario;
    const from = request.memoryOffset - request.step.first * blockBytes;
    const versionOf = (block: number): number =>
      versionAt(ioMemory.view, from + block * blockBytes, blockBytes, block);
    const mayBeElsewhere = isBeingCopied() && excuses.outageSince(request.startedAtUs);
    model.endRead(request.model!, versionOf, mayReadLostAsZero(request.startedAtUs), !mayBeElsewhere);
  }

  #endWrite(request: PendingRequest, errno: number): void {
    const { model } = this.#parts;
    const { step } = request;
    this.#unflushed.writeFinished();
    model.endWrite(request.model!, errno === 0, isDurable(step));
    if (errno !== 0) this.#judgeWriteError(request, errno);
  }

  #judgeWriteError({ step, startedAtUs }: PendingRequest, errno: number): void {
    const { excuses, mayRefuseWrites, mayBeFull } = this.#parts;
    const what = `${describeRequest(step)} fails with ${errnoName(errno)}`;
    if (step.operation === 'zero' && errno === ERRNO.EOPNOTSUPP) {
      return check((step.flags & FAST_ONLY) !== 0, 'writeError', `${what}, which only a fast one may`);
    }
    if (excuses.outageSince(startedAtUs) || excuses.flushesFailedSince(startedAtUs)) return;
    // What one failed flush undid elsewhere is written again; whoever asked for durability may have asked for that one.
    if (isDurable(step) && excuses.flushFailedSince(startedAtUs)) return;
    if (errno === ERRNO.ENOSPC)
      return check(mayBeFull(startedAtUs), 'writeError', `${what}, and there are places left`);
    check(errno === ERRNO.EIO, 'writeError', `${what}, not EIO or ENOSPC`);
    check(mayRefuseWrites(), 'writeError', `${what}, and the spares work`);
  }

  #endFlush(request: PendingRequest, errno: number): void {
    const { model, excuses } = this.#parts;
    const { flushFailureCount } = request.device;
    const isHeard = this.#unflushed.flushFinished(request.mark, errno === 0, flushFailureCount);
    // One that was under way when another failed says nothing either.
    const isGood = isHeard && request.failuresBefore === this.#failuresHeardOf(request.device);
    if (isGood) model.endFlush(request.flush!);
    else model.flushFailed();
    const sinceUs = this.#untoldSince(request);
    this.#toldUntilUs = Math.max(this.#toldUntilUs, request.startedAtUs);
    if (errno === 0) return;
    this.#failedFlushCount += 1;
    const isExcused = excuses.outageSince(sinceUs) || excuses.flushFailedSince(sinceUs);
    check(errno === ERRNO.EIO && isExcused, 'flushError', `a flush fails with ${errnoName(errno)}`);
  }

  /** Of a block device a client hears by the answers to other flushes only. */
  #failuresHeardOf({ flushFailureCount }: ClientDevice): number {
    return this.#parts.scenario.hasBlockDevice ? this.#failedFlushCount : flushFailureCount;
  }

  /** The answer to a flush beside it says nothing: both tell of what failed before. */
  #untoldSince({ startedAtUs, toldBeforeUs }: PendingRequest): number {
    const { hasBlockDevice } = this.#parts.scenario;
    return hasBlockDevice ? Math.min(startedAtUs, toldBeforeUs) : startedAtUs;
  }
}

export interface ClientParts {
  readonly scenario: Scenario;
  readonly model: BlockModel;
  readonly excuses: Excuses;
  readonly clock: SimClock;
  readonly statistics: Statistics;
  readonly counts: RequestCounts;
  readonly log: ((line: string) => void) | undefined;
  /** A write may fail although the devices are there: the spares are too bad. */
  readonly mayRefuseWrites: () => boolean;
  /** Lost blocks were read as zeroes at some time since then. */
  readonly mayReadLostAsZero: (sinceUs: number) => boolean;
  /** To another disk, which is read where one of the set is away: it may hold what that has forgotten. */
  readonly isBeingCopied: () => boolean;
  /** No spare unit is left, or hardly any, on spares that have taken units all the time since then. */
  readonly mayBeFull: (sinceUs: number) => boolean;
}

/** What a client uses of a device. */
export type ClientDevice = Pick<
  ServedDevice,
  'acquire' | 'read' | 'write' | 'flush' | 'discard' | 'writeZeroes' | 'flushFailureCount'
>;

export interface ReadResult {
  readonly errno: number;
  readonly versionOf: (block: number) => number;
}

class PendingRequest implements RequestSink {
  readonly step: RequestStep;
  readonly device: ClientDevice;
  readonly startedAtUs: number;
  slot = -1;
  memoryOffset = 0;
  /** What it writes. */
  version = 0;
  model: ModelRequest | undefined;
  flush: ModelFlush | undefined;
  /** Of `UnflushedWrites`. */
  mark = 0;
  /** `#failuresHeardOf` when it began. */
  failuresBefore = 0;
  /** Of a flush: `#toldUntilUs` when it began. */
  toldBeforeUs = 0;
  readonly #done: (errno: number) => void;

  constructor(step: RequestStep, device: ClientDevice, startedAtUs: number, done: (errno: number) => void) {
    this.step = step;
    this.device = device;
    this.startedAtUs = startedAtUs;
    this.#done = done;
  }

  completed(_slot: number, errno: number): void {
    this.#done(errno);
  }
}

function describeRequest({ operation, first, count, durable }: RequestStep): string {
  const how = durable && operation === 'write' ? ' (FUA)' : '';
  return operation === 'flush' ? 'flush' : `${operation}${how} of blocks ${first}-${first + count - 1}`;
}

function isDurable({ operation, durable, flags }: RequestStep): boolean {
  return operation === 'write' ? durable : operation === 'zero' && (flags & DURABLE) !== 0;
}

const NO_STEP = { kind: 'request', queue: 0, isAimed: false, durable: false, flags: 0, events: 0 } as const;
const DURABLE = WriteZeroesFlag.durable;
const FAST_ONLY = WriteZeroesFlag.fastOnly;
/** Half of those where a device is tried. */
export const MANY_PLACES = 4;
const BUFFER_COUNT = 16;
/** The longest request: 64 blocks of 4096. */
const BUFFER_BYTES = 256 << 10;
