import { assert } from '../../base/assert.js';
import { ERRNO } from '../../base/errno.js';
import { PLAIN_QUEUE } from '../../ports/block-store.js';
import { type IoMemory, isRequestBuffer } from '../../ports/io-memory.js';
import type { RequestSink, ServedDevice, ServedGeometry, StateRun } from '../../ports/served-device.js';
import { MAX_TRANSFER_BYTES } from '../../ports/served-device.js';
import type { TestLoop } from './test-loop.js';

/** A served device over an array, which checks what it is asked and can be told to fail. */
export class ArrayDevice implements ServedDevice {
  readonly geometry: ServedGeometry;
  flushFailureCount = 0;
  readonly slotCount: number;
  readonly data: Uint8Array;
  /** What was started, for tests that ask how, not only what. */
  readonly log: string[] = [];
  /** Errno for an operation, by name and offset; 0 lets it pass. */
  failure: (operation: string, offsetBytes: number) => number = () => 0;
  /** `RunState` bits of the blocks at an offset, and how far they reach. */
  state: (offsetBytes: number) => StateRun = () => ({ state: 0, lengthBytes: Number.MAX_SAFE_INTEGER });
  /** Where the data of each transfer was. */
  readonly places: number[] = [];
  /** What transfers with a request buffer are answered with; their data goes nowhere. */
  requestBufferAnswer: number = 0;
  /** Transfers may be answered along with their I/O. */
  answersAlong = false;
  /** Errno of the I/O itself, where the device makes something else of it. */
  ioFailure: ((operation: string, offsetBytes: number) => number) | undefined;
  /** Called when an I/O is over, before what comes of it: its number since the first, and its errno. */
  onIo: (number: number, errno: number) => void = () => {};
  /** I/O begun so far. */
  ioCount = 0;
  /** While true, operations are kept instead of completed. */
  holding = false;
  private readonly memory: IoMemory;
  private readonly loop: TestLoop;
  private readonly sinks: (RequestSink | null)[];
  private held: (() => void)[] = [];
  private readonly failed = new Set<number>();

  constructor(memory: IoMemory, loop: TestLoop, geometry: Partial<ServedGeometry> = {}, slotCount = 64) {
    this.memory = memory;
    this.loop = loop;
    this.slotCount = slotCount;
    this.geometry = {
      sizeBytes: 1 << 20,
      logicalBlockBytes: 512,
      preferredBlockBytes: 4096,
      memoryAlignmentBytes: 1,
      takesRequestBuffers: false,
      physicalBlockBytes: 4096,
      queue: PLAIN_QUEUE,
      rotational: false,
      readOnly: false,
      ...geometry,
    };
    this.data = new Uint8Array(this.geometry.sizeBytes);
    this.sinks = new Array(slotCount).fill(null);
  }

  get slotsInUse(): number {
    return this.sinks.filter((sink) => sink !== null).length;
  }

  acquire(sink: RequestSink): number {
    const slot = this.sinks.indexOf(null);
    if (slot !== -1) this.sinks[slot] = sink;
    return slot;
  }

  release(slot: number): void {
    this.sinks[slot] = null;
  }

  read(slot: number, offsetBytes: number, lengthBytes: number, memoryOffset: number): boolean {
    this.checkTransfer(offsetBytes, lengthBytes, memoryOffset);
    if (isRequestBuffer(memoryOffset))
      return this.startOnBuffer('readBuffer', slot, offsetBytes, lengthBytes);
    return this.start('read', slot, offsetBytes, lengthBytes, () => {
      this.memory.bytes.set(this.data.subarray(offsetBytes, offsetBytes + lengthBytes), memoryOffset);
    });
  }

  write(
    slot: number,
    offsetBytes: number,
    lengthBytes: number,
    memoryOffset: number,
    durable: boolean,
  ): boolean {
    this.checkTransfer(offsetBytes, lengthBytes, memoryOffset);
    if (isRequestBuffer(memoryOffset))
      return this.startOnBuffer('writeBuffer', slot, offsetBytes, lengthBytes);
    return this.start(durable ? 'writeDurable' : 'write', slot, offsetBytes, lengthBytes, () => {
      this.data.set(this.memory.bytes.subarray(memoryOffset, memoryOffset + lengthBytes), offsetBytes);
    });
  }

  hasFailed(slot: number): boolean {
    return this.failed.has(slot);
  }

  flush(slot: number): void {
    this.start('flush', slot, 0, 0, () => {});
  }

  discard(slot: number, offsetBytes: number, lengthBytes: number): void {
    this.checkRange(offsetBytes, lengthBytes);
    this.start('discard', slot, offsetBytes, lengthBytes, () => {
      this.data.fill(0, offsetBytes, offsetBytes + lengthBytes);
    });
  }

  writeZeroes(slot: number, offsetBytes: number, lengthBytes: number, flags: number): void {
    this.checkRange(offsetBytes, lengthBytes);
    this.start(`zero${flags}`, slot, offsetBytes, lengthBytes, () => {
      this.data.fill(0, offsetBytes, offsetBytes + lengthBytes);
    });
  }

  describeRun(offsetBytes: number, lengthBytes: number, run: StateRun): void {
    this.checkRange(offsetBytes, lengthBytes);
    const { state, lengthBytes: alikeBytes } = this.state(offsetBytes);
    run.state = state;
    run.lengthBytes = Math.min(alikeBytes, lengthBytes);
  }

  /** Lets everything held go on, and holds nothing from now on. */
  resume(): void {
    this.holding = false;
    for (const completion of this.held.splice(0)) this.loop.after(0, completion);
  }

  private startOnBuffer(name: string, slot: number, offsetBytes: number, lengthBytes: number): boolean {
    assert(this.geometry.takesRequestBuffers, 'request buffers are for devices that take them');
    this.log.push(`${name} ${offsetBytes}+${lengthBytes}`);
    const settleIo = this.beginIo(slot);
    this.loop.after(0, () => {
      settleIo(this.requestBufferAnswer);
      this.finish(slot, this.requestBufferAnswer);
    });
    return this.answersAlong;
  }

  /** Answers with what settles the I/O: whoever waits for it goes on, or never will. */
  private beginIo(slot: number): (errno: number) => void {
    this.failed.delete(slot);
    const number = this.ioCount++;
    return (errno) => {
      if (errno !== 0) this.failed.add(slot);
      this.onIo(number, errno);
    };
  }

  private start(
    name: string,
    slot: number,
    offsetBytes: number,
    lengthBytes: number,
    perform: () => void,
  ): boolean {
    assert(this.sinks[slot] !== null, 'operations run on acquired slots');
    this.log.push(`${name} ${offsetBytes}+${lengthBytes}`);
    const settleIo = this.beginIo(slot);
    const complete = (): void => {
      const errno = this.failure(name, offsetBytes);
      settleIo(this.ioFailure?.(name, offsetBytes) ?? errno);
      assert(errno === 0 || errno >= ERRNO.EPERM, 'errno is positive');
      if (errno !== 0 && name === 'flush') this.flushFailureCount += 1;
      if (errno === 0) perform();
      this.finish(slot, errno);
    };
    if (this.holding) this.held.push(complete);
    else this.loop.after(0, complete);
    return this.answersAlong;
  }

  /** The slot is free when `completed` returns, unless it started the next operation on it. */
  private finish(slot: number, errno: number): void {
    const sink = this.sinks[slot];
    const startedBefore = this.log.length;
    assert(sink, 'a slot completes once');
    sink.completed(slot, errno);
    const name = this.log[startedBefore];
    if (name === undefined) this.sinks[slot] = null;
    else assert(/^(flush|read) /.test(name), 'only a flush, or a read again, follows on the same slot');
  }

  private checkTransfer(offsetBytes: number, lengthBytes: number, memoryOffset: number): void {
    this.checkRange(offsetBytes, lengthBytes);
    assert(lengthBytes <= MAX_TRANSFER_BYTES, 'a transfer is not too long');
    this.places.push(memoryOffset);
    assert(memoryOffset % this.geometry.memoryAlignmentBytes === 0, 'memory is aligned');
    const isThere = memoryOffset + lengthBytes <= this.memory.bytes.length || isRequestBuffer(memoryOffset);
    assert(isThere, 'memory is there');
  }

  private checkRange(offsetBytes: number, lengthBytes: number): void {
    const block = this.geometry.logicalBlockBytes;
    assert(lengthBytes > 0 && offsetBytes % block === 0 && lengthBytes % block === 0, 'blocks are whole');
    assert(offsetBytes + lengthBytes <= this.geometry.sizeBytes, 'inside the device');
  }
}
