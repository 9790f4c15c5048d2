import { xorshift } from '../../../test/support/xorshift.js';
import { assert } from '../../base/assert.js';
import { ERRNO } from '../../base/errno.js';
import type { ServedDevice } from '../../ports/served-device.js';
import type { BlockModel, ModelFlush, ModelRead, ModelWrite } from './block-model.js';
import type { DeviceOnMemory } from './device-on-memory.js';

/**
 * Random reads, writes, zeroes and flushes, several at a time, on the device and its queues, checked against a model.
 * Block contents: a number in the first four bytes and again at the end.
 */
export class Workload {
  readonly #rig: DeviceOnMemory;
  readonly #model: BlockModel;
  readonly #random: () => number;
  readonly #blockCount: number;
  readonly #pending = new Set<PendingRequest>();
  readonly #freeBuffers: number[] = [];
  #nextContents = 1_000_000;
  #isDraining = false;
  writeErrors = 0;
  readErrors = 0;

  constructor(rig: DeviceOnMemory, model: BlockModel, seed: number) {
    this.#rig = rig;
    this.#model = model;
    this.#random = xorshift(seed);
    this.#blockCount = rig.disks[0]!.geometry.sizeBytes / BLOCK_BYTES;
    for (let index = 0; index < IN_FLIGHT; index += 1) {
      this.#freeBuffers.push(rig.payloadOffset + index * MAX_BLOCKS * BLOCK_BYTES);
    }
  }

  /** Starts requests until as many as allowed are in flight, then lets time pass a little. */
  step(): void {
    while (this.#freeBuffers.length > 0) this.#startOne();
    this.#rig.scheduler.advance(this.#random() % 3 === 0 ? 40 : 0);
  }

  /** Starts one more request on what is not at work, if one is allowed. */
  startOne(): void {
    if (this.#isDraining) return;
    if (this.#freeBuffers.length > 0 && this.#rig.served().length > 0) this.#startOne();
  }

  /** Waits for everything in flight. */
  drain(): void {
    this.#isDraining = true;
    for (let turns = 0; this.#pending.size > 0; turns += 1) {
      assert(turns < 1000, 'every request is answered');
      this.#rig.scheduler.advance(100);
    }
    this.#isDraining = false;
  }

  /** The device was killed: what was in flight is never answered. */
  forget(): void {
    this.#dropPending();
    this.#model.crash();
  }

  /** The power failed: as `forget`, and what was not flushed may be gone. */
  forgetUnflushed(): void {
    this.#dropPending();
    this.#model.powerCut();
  }

  /** Reads every block by itself. */
  verifyAll(): void {
    for (let block = 0; block < this.#blockCount; block += 1) {
      this.#start('read', block, 1);
      this.drain();
    }
  }

  #dropPending(): void {
    for (const { memoryOffset } of this.#pending) this.#freeBuffers.push(memoryOffset);
    this.#pending.clear();
  }

  #startOne(): void {
    const kind = this.#random() % 16;
    if (kind === 0) return this.#start('flush', 0, 0);
    const blockCount = 1 + (this.#random() % (kind === 1 ? MAX_BLOCKS : 12));
    const first = this.#random() % (this.#blockCount - blockCount);
    if (kind === 2) this.#start('zero', first, blockCount);
    else this.#start(kind < 9 ? 'read' : 'write', first, blockCount);
  }

  #start(operation: PendingRequest['operation'], first: number, blockCount: number): void {
    const served = this.#rig.served();
    const { device, actor } = served[served.length === 1 ? 0 : this.#random() % served.length]!;
    const memoryOffset = this.#freeBuffers.pop()!;
    const blocks = Array.from({ length: blockCount }, (_, index) => first + index);
    const contents = operation === 'zero' ? 0 : this.#nextContents;
    if (operation === 'write') this.#nextContents += 1;
    const isWrite = operation === 'write' || operation === 'zero';
    const writes = isWrite ? blocks.map((block) => this.#model.beginWrite(block, contents)) : [];
    const reads = operation === 'read' ? blocks.map((block) => this.#model.beginRead(block)) : [];
    const durable = operation === 'write' && this.#random() % 4 === 0;
    const flush = operation === 'flush' ? this.#model.beginFlush() : undefined;
    const request = { operation, blocks, reads, writes, memoryOffset, durable, flush };
    this.#pending.add(request);
    actor.run(() => this.#send(device, request, contents));
  }

  #send(device: ServedDevice, request: PendingRequest, contents: number): void {
    const { bytes, view } = this.#rig.memory;
    const { operation, blocks, memoryOffset } = request;
    const slot = device.acquire({ completed: (_slot, errno) => this.#completed(request, errno) });
    assert(slot !== -1, 'a slot is free');
    const offsetBytes = (blocks[0] ?? 0) * BLOCK_BYTES;
    const lengthBytes = blocks.length * BLOCK_BYTES;
    if (operation === 'flush') return device.flush(slot);
    if (operation === 'read') {
      bytes.fill(0xaa, memoryOffset, memoryOffset + lengthBytes);
      device.read(slot, offsetBytes, lengthBytes, memoryOffset);
      return;
    }
    if (operation === 'zero')
      return device.writeZeroes(slot, offsetBytes, lengthBytes, this.#random() % 2 === 0 ? 0 : 2);
    for (const [index] of blocks.entries())
      fillBlock(bytes, view, memoryOffset + index * BLOCK_BYTES, contents);
    device.write(slot, offsetBytes, lengthBytes, memoryOffset, request.durable);
  }

  #completed(request: PendingRequest, errno: number): void {
    if (!this.#pending.delete(request)) return;
    this.#freeBuffers.push(request.memoryOffset);
    if (request.operation === 'read') this.#endRead(request, errno);
    else this.#endWrite(request, errno);
  }

  #endRead(request: PendingRequest, errno: number): void {
    if (errno !== 0) {
      assert(errno === ERRNO.EIO, `a read fails with EIO, not ${errno}`);
      this.readErrors += 1;
      return this.#model.checkLost(request.blocks, request.reads);
    }
    for (const [index, block] of request.blocks.entries()) {
      const contents = blockContents(this.#rig.memory.view, request.memoryOffset + index * BLOCK_BYTES);
      this.#model.endRead(block, contents, request.reads[index]!);
    }
  }

  #endWrite(request: PendingRequest, errno: number): void {
    if (errno !== 0) {
      this.writeErrors += 1;
      return;
    }
    for (const [index, write] of request.writes.entries())
      this.#model.endWrite(request.blocks[index]!, write, request.durable);
    if (request.flush !== undefined) this.#model.endFlush(request.flush);
  }
}

export const BLOCK_BYTES = 512;
const MAX_BLOCKS = 256;
const IN_FLIGHT = 16;

interface PendingRequest {
  readonly operation: 'read' | 'write' | 'zero' | 'flush';
  readonly blocks: readonly number[];
  readonly writes: readonly ModelWrite[];
  readonly memoryOffset: number;
  readonly reads: readonly ModelRead[];
  readonly durable: boolean;
  readonly flush: ModelFlush | undefined;
}

export function fillBlock(bytes: Uint8Array, view: DataView, offset: number, contents: number): void {
  bytes.fill(contents & 0xff, offset, offset + BLOCK_BYTES);
  view.setUint32(offset, contents, true);
  view.setUint32(offset + BLOCK_BYTES - 4, contents, true);
}

/** -1 for a block that is not one of ours from end to end. */
export function blockContents(view: DataView, offset: number): number {
  const contents = view.getUint32(offset, true);
  const same = view.getUint32(offset + BLOCK_BYTES - 4, true) === contents;
  return same && view.getUint8(offset + 100) === (contents & 0xff) ? contents : -1;
}
