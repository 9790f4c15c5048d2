import { assert } from '../../base/assert.js';
import type { RequestSink, ServedDevice } from '../../ports/served-device.js';
import { WriteZeroesFlag } from '../../ports/served-device.js';
import type { Actor } from '../../sim/actor.js';
import type { DeviceOnMemory, OpenQueue } from './device-on-memory.js';
import { BLOCK_BYTES, blockContents, fillBlock } from './workload.js';

/**
 * One request at a time to a device on memory, each waited for. Blocks hold numbers, as in the workload. Requests
 * that are to overlap are begun with the `begin` methods.
 */
export class TestClient implements RequestSink {
  readonly #rig: DeviceOnMemory;
  readonly #deviceOf: () => ServedDevice | undefined;
  readonly #actor: Actor;
  readonly #outcomes = new Map<number, BegunRequest>();

  /** Of the device itself, whichever is open at the time, or of one of its queues. */
  constructor(rig: DeviceOnMemory, open?: OpenQueue) {
    this.#rig = rig;
    this.#deviceOf = () => open?.queue ?? rig.device;
    this.#actor = open?.actor ?? rig.owner;
  }

  /** Answers the errno; -1 if there is no answer, as when the device was killed meanwhile. */
  write(firstBlock: number, blockCount: number, contents: number, durable = false): number {
    return this.#wait(this.beginWrite(firstBlock, blockCount, contents, durable));
  }

  /** The contents of each block, or the errno. -1 for a block that is not one of ours. */
  read(firstBlock: number, blockCount: number): number[] | number {
    const errno = this.#wait(this.beginRead(firstBlock, blockCount));
    return errno === 0 ? this.blocksAt(0, blockCount) : errno;
  }

  /** What a read has put at `bufferIndex` MiB of the payload memory. */
  blocksAt(bufferIndex: number, blockCount: number): number[] {
    const memoryOffset = this.#rig.payloadOffset + (bufferIndex << 20);
    return Array.from({ length: blockCount }, (_, index) =>
      blockContents(this.#rig.memory.view, memoryOffset + index * BLOCK_BYTES),
    );
  }

  flush(): number {
    return this.#wait(this.beginFlush());
  }

  discard(firstBlock: number, blockCount: number): number {
    return this.#wait(this.beginDiscard(firstBlock, blockCount));
  }

  zero(firstBlock: number, blockCount: number, flags: number = WriteZeroesFlag.none): number {
    return this.#wait(this.beginZero(firstBlock, blockCount, flags));
  }

  /** The payload is at `bufferIndex` MiB of the payload memory; it must stay alone there until the request ends. */
  beginWrite(
    firstBlock: number,
    blockCount: number,
    contents: number,
    durable = false,
    bufferIndex = 0,
  ): BegunRequest {
    const memoryOffset = this.#rig.payloadOffset + (bufferIndex << 20);
    const { bytes, view } = this.#rig.memory;
    for (let index = 0; index < blockCount; index += 1)
      fillBlock(bytes, view, memoryOffset + index * BLOCK_BYTES, contents);
    return this.#begin((slot, device) =>
      device.write(slot, firstBlock * BLOCK_BYTES, blockCount * BLOCK_BYTES, memoryOffset, durable),
    );
  }

  /** The data goes to `bufferIndex` MiB of the payload memory. */
  beginRead(firstBlock: number, blockCount: number, bufferIndex = 0): BegunRequest {
    const memoryOffset = this.#rig.payloadOffset + (bufferIndex << 20);
    this.#rig.memory.bytes.fill(0xaa, memoryOffset, memoryOffset + blockCount * BLOCK_BYTES);
    return this.#begin((slot, device) =>
      device.read(slot, firstBlock * BLOCK_BYTES, blockCount * BLOCK_BYTES, memoryOffset),
    );
  }

  /** Of the nth block in a place. */
  contentsAt(bufferIndex: number, nth = 0): number {
    return blockContents(
      this.#rig.memory.view,
      this.#rig.payloadOffset + (bufferIndex << 20) + nth * BLOCK_BYTES,
    );
  }

  beginDiscard(firstBlock: number, blockCount: number): BegunRequest {
    return this.#begin((slot, device) =>
      device.discard(slot, firstBlock * BLOCK_BYTES, blockCount * BLOCK_BYTES),
    );
  }

  beginZero(firstBlock: number, blockCount: number, flags: number = WriteZeroesFlag.none): BegunRequest {
    return this.#begin((slot, device) =>
      device.writeZeroes(slot, firstBlock * BLOCK_BYTES, blockCount * BLOCK_BYTES, flags),
    );
  }

  beginFlush(): BegunRequest {
    return this.#begin((slot, device) => device.flush(slot));
  }

  completed(slot: number, errno: number): void {
    const request = this.#outcomes.get(slot);
    this.#outcomes.delete(slot);
    assert(request !== undefined && request.errno === undefined, 'one answer for each request');
    request.errno = errno;
  }

  #begin(start: (slot: number, device: ServedDevice) => void): BegunRequest {
    const device = this.#deviceOf();
    assert(device !== undefined, 'the device is open');
    const slot = device.acquire(this);
    assert(slot !== -1, 'a slot is free');
    const request: BegunRequest = { errno: undefined };
    this.#outcomes.set(slot, request);
    this.#actor.run(() => start(slot, device));
    assert(request.errno === undefined, 'no answer comes inside the call');
    return request;
  }

  #wait(request: BegunRequest): number {
    for (let turns = 0; request.errno === undefined && turns < 600; turns += 1)
      this.#rig.scheduler.advance(turns === 0 ? 0 : 100);
    if (request.errno === undefined) this.#outcomes.clear();
    return request.errno ?? -1;
  }
}

export interface BegunRequest {
  /** Once it is answered. */
  errno: number | undefined;
}
