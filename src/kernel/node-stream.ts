import type { Socket } from 'node:net';
import { assert } from '../base/assert.js';
import { ERRNO } from '../base/errno.js';
import type { ByteStream, ByteStreamSink, SegmentList } from '../ports/byte-stream.js';
import type { IoMemory } from '../ports/io-memory.js';

/**
 * A node socket (plain or TLS) as a byte stream, on Node's event loop: received bytes are copied into the payload
 * memory, sent ones leave from it. The socket is owned by the stream from now on. It must be made with
 * `allowHalfOpen`, else replies to a peer that has finished sending are lost.
 */
export class NodeStream implements ByteStream {
  private readonly socket: Socket;
  private readonly memory: IoMemory;
  private sink: ByteStreamSink | undefined;
  private receiveOffset = 0;
  private receiveBytes = 0;
  private receivePending = false;
  private sendPending = false;
  private isClosing = false;
  private isClosed = false;
  private hasSaidClosed = false;
  private hasEnded = false;
  /** 0, or the negative errno that ended the connection. */
  private failure = 0;

  constructor(socket: Socket, memory: IoMemory) {
    this.socket = socket;
    this.memory = memory;
    socket.on('readable', () => this.take());
    socket.on('end', () => {
      this.hasEnded = true;
      this.take();
    });
    socket.on('error', (error: Error) => {
      this.failure = negativeErrno(error);
    });
    socket.on('close', () => this.finish());
  }

  attach(sink: ByteStreamSink): void {
    assert(this.sink === undefined, 'stream attached twice');
    this.sink = sink;
    if (this.isClosed && this.isClosing) queueMicrotask(() => this.finish());
  }

  receive(memoryOffset: number, lengthBytes: number): void {
    assert(this.sink !== undefined, 'receive before attach');
    assert(!this.receivePending, 'two receives at once');
    assert(lengthBytes > 0, 'receive of nothing');
    this.receiveOffset = memoryOffset;
    this.receiveBytes = lengthBytes;
    this.receivePending = true;
    queueMicrotask(this.take);
  }

  send(segments: SegmentList): void {
    assert(this.sink !== undefined, 'send before attach');
    assert(!this.sendPending, 'two sends at once');
    this.sendPending = true;
    if (this.isClosing || this.isClosed) queueMicrotask(() => this.answerSend(this.goneResult()));
    else if (segments.totalBytes === 0) queueMicrotask(() => this.answerSend(0));
    else this.write(segments);
  }

  close(): void {
    if (this.isClosing) return;
    this.isClosing = true;
    if (this.isClosed) queueMicrotask(() => this.finish());
    else this.socket.destroy();
  }

  /** Answers the outstanding receive if there is an answer. Never called inside the stream's own methods. */
  private readonly take = (): void => {
    if (!this.receivePending) return;
    if (this.isClosing) {
      this.answerReceive(-ERRNO.ECANCELED);
      return;
    }
    const chunk = this.readChunk();
    if (chunk !== null && chunk.byteLength > 0) {
      this.memory.bytes.set(chunk, this.receiveOffset);
      this.answerReceive(chunk.byteLength);
    } else if (this.failure !== 0) {
      this.answerReceive(this.failure);
    } else if (this.hasEnded) {
      this.answerReceive(0);
    } else if (this.isClosed) {
      this.answerReceive(-ERRNO.ECONNRESET);
    }
  };

  /** What is there, at most what was asked for; null when nothing is, which also makes node look for more. */
  private readChunk(): Buffer | null {
    return this.socket.read(Math.min(this.receiveBytes, this.socket.readableLength)) as Buffer | null;
  }

  private answerReceive(result: number): void {
    this.receivePending = false;
    this.sink!.received(result);
  }

  /** The callback of the last piece comes when all pieces are with the kernel. */
  private write(segments: SegmentList): void {
    const { buffer, byteOffset } = this.memory.bytes;
    this.socket.cork();
    for (let index = 0; index < segments.count - 1; index += 1) {
      const offset = byteOffset + segments.offsets[index]!;
      this.socket.write(Buffer.from(buffer, offset, segments.lengths[index]!));
    }
    const last = segments.count - 1;
    const offset = byteOffset + segments.offsets[last]!;
    this.socket.write(Buffer.from(buffer, offset, segments.lengths[last]!), (error) => {
      // A closed socket's send was answered by `finish`.
      if (!this.isClosed) this.answerSend(this.writeResult(error));
    });
    this.socket.uncork();
  }

  /** Node reports success for writes that its own `destroy` threw away. */
  private writeResult(error: Error | null | undefined): number {
    if (this.isClosing || (!error && this.socket.destroyed)) return this.goneResult();
    return error ? this.failure || negativeErrno(error) : 0;
  }

  private answerSend(result: number): void {
    this.sendPending = false;
    this.sink!.sent(result);
  }

  /** The descriptor is closed: nothing touches the memory any more. */
  private finish(): void {
    this.isClosed = true;
    if (this.sendPending) this.answerSend(this.goneResult());
    this.take();
    if (!this.isClosing || this.sink === undefined || this.hasSaidClosed) return;
    this.hasSaidClosed = true;
    this.sink.closed();
  }

  private goneResult(): number {
    if (this.isClosing) return -ERRNO.ECANCELED;
    return this.failure || -ERRNO.ECONNRESET;
  }
}

/** Node's system errors carry the errno; those of TLS and of the stream machinery don't. */
function negativeErrno(error: Error): number {
  const { errno } = error as NodeJS.ErrnoException;
  return typeof errno === 'number' && errno < 0 ? errno : -ERRNO.EIO;
}
