import { assert } from '../base/assert.js';
import { ERRNO } from '../base/errno.js';
import { failed, ok, type Result } from '../base/result.js';
import type { ByteStream } from '../ports/byte-stream.js';
import type { IoMemory } from '../ports/io-memory.js';
import { type MappedMemory, mapMemory } from './aligned-memory.js';
import { prepareSocket } from './connected-socket.js';
import { close } from './ffi.js';
import { MESSAGE_BYTES, MessageVectors } from './message-vectors.js';
import type { UringReactor } from './reactor.js';
import type { Poller } from './reactor-interface.js';
import { OP } from './uring-abi.js';
import { type StreamTable, UringStream } from './uring-stream.js';

/**
 * All connected sockets of one reactor that use one payload memory. A completion finds its stream by index; an index
 * is used again only when nothing of its old stream is in the ring any more.
 */
export class UringStreams implements Poller, StreamTable {
  private readonly reactor: UringReactor;
  private readonly memory: IoMemory;
  private readonly messages: MappedMemory;
  private readonly streams: (UringStream | undefined)[];
  private readonly freeIndexes: number[];
  private readonly receiveKind: number;
  private readonly sendKind: number;
  /** Indexes of streams that owe an answer, in order; each is in it at most once. */
  private readonly deliveries: Int32Array;
  private deliveryHead = 0;
  private deliveryCount = 0;

  /** `streamCountMax`: further sockets are refused. Each costs 16 KiB of address space. */
  constructor(reactor: UringReactor, memory: IoMemory, streamCountMax = 256) {
    assert(memory.address > 0, 'io_uring needs memory that the kernel can reach');
    this.reactor = reactor;
    this.memory = memory;
    this.messages = mapMemory(streamCountMax * MESSAGE_BYTES);
    this.streams = new Array<UringStream | undefined>(streamCountMax).fill(undefined);
    this.freeIndexes = this.streams.map((_, index) => streamCountMax - 1 - index);
    this.deliveries = new Int32Array(streamCountMax);
    this.receiveKind = reactor.ring.registerHandler({
      ringCompletion: (index, result) => this.streams[index]!.receiveCompleted(result),
    });
    this.sendKind = reactor.ring.registerHandler({
      ringCompletion: (index, result) => this.streams[index]!.sendCompleted(result),
    });
    reactor.addPoller(this);
  }

  /**
   * Makes a stream of a connected stream socket and owns it from then on, whatever the answer: a refused one is
   * closed. The failure is a positive errno: ENOBUFS when all places are taken, ENOTSOCK.
   */
  adopt(fd: number): Result<ByteStream, number> {
    const refusal = this.freeIndexes.length === 0 ? -ERRNO.ENOBUFS : prepareSocket(fd);
    if (refusal < 0) {
      close(fd);
      return failed(-refusal);
    }
    const index = this.freeIndexes.pop()!;
    const vectors = new MessageVectors(this.messages, index * MESSAGE_BYTES, this.memory);
    const stream = new UringStream(this, index, fd, vectors);
    this.streams[index] = stream;
    return ok(stream);
  }

  /** Streams that are not closed yet. */
  get openCount(): number {
    return this.streams.length - this.freeIndexes.length;
  }

  /** Gives up the table. Only when every stream is closed. */
  close(): void {
    assert(this.openCount === 0, 'table closed with open streams');
    this.reactor.removePoller(this);
    this.reactor.ring.releaseHandler(this.receiveKind);
    this.reactor.ring.releaseHandler(this.sendKind);
    this.messages.unmap();
  }

  /** For the reactor. What the sinks cause by it waits for the next turn. */
  poll(): boolean {
    for (let remaining = this.deliveryCount; remaining > 0; remaining -= 1) {
      const index = this.deliveries[this.deliveryHead]!;
      this.deliveryHead = (this.deliveryHead + 1) % this.deliveries.length;
      this.deliveryCount -= 1;
      this.streams[index]!.deliver();
    }
    return this.deliveryCount > 0;
  }

  submitReceive(index: number, fd: number, memoryOffset: number, lengthBytes: number): void {
    const address = this.memory.address + memoryOffset;
    this.reactor.ring.submit(this.receiveKind, index, OP.RECV, fd, address, lengthBytes, 0, 0, 0, 0);
  }

  submitSend(index: number, fd: number, messageAddress: number): void {
    const flags = MSG_WAITALL | MSG_NOSIGNAL;
    this.reactor.ring.submit(this.sendKind, index, OP.SENDMSG, fd, messageAddress, 1, 0, flags, 0, 0);
  }

  queueDelivery(index: number): void {
    assert(this.deliveryCount < this.deliveries.length, 'a stream queued twice');
    this.deliveries[(this.deliveryHead + this.deliveryCount) % this.deliveries.length] = index;
    this.deliveryCount += 1;
    this.reactor.kick();
  }

  release(index: number): void {
    this.streams[index] = undefined;
    this.freeIndexes.push(index);
  }
}

const MSG_WAITALL = 0x100;
const MSG_NOSIGNAL = 0x4000;
