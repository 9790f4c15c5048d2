import { assert } from '../base/assert.js';
import { ERRNO } from '../base/errno.js';
import type { ByteStream, ByteStreamSink, SegmentList } from '../ports/byte-stream.js';
import { close, sendmsg, shutdown } from './ffi.js';
import type { MessageVectors } from './message-vectors.js';

/** What a stream needs of the table it is in. */
export interface StreamTable {
  submitReceive(index: number, fd: number, memoryOffset: number, lengthBytes: number): void;
  submitSend(index: number, fd: number, messageAddress: number): void;
  /** Calls `deliver` soon, outside any call of the stream. */
  queueDelivery(index: number): void;
  /** The stream is gone; nothing of it is in the ring. */
  release(index: number): void;
}

/**
 * One connected socket on a ring. It receives straight into the payload memory. A send is tried with one ordinary
 * system call first, which takes it all while the socket's buffer has room; only the rest goes through the ring.
 */
export class UringStream implements ByteStream {
  private readonly table: StreamTable;
  private readonly index: number;
  private readonly fd: number;
  private readonly vectors: MessageVectors;
  private sink: ByteStreamSink | undefined;
  private receiveOffset = 0;
  private receiveBytes = 0;
  /** A receive, or the rest of a send, is in the ring. */
  private receivePending = false;
  private sendPending = false;
  /** Answers that `deliver` owes, because they became known inside a call of the stream. */
  private receiveAnswer = NONE;
  private sendAnswer = NONE;
  private isQueued = false;
  private isClosing = false;
  private isClosed = false;

  /** Made by `UringStreams` only. */
  constructor(table: StreamTable, index: number, fd: number, vectors: MessageVectors) {
    this.table = table;
    this.index = index;
    this.fd = fd;
    this.vectors = vectors;
  }

  attach(sink: ByteStreamSink): void {
    assert(this.sink === undefined, 'stream attached twice');
    this.sink = sink;
  }

  receive(memoryOffset: number, lengthBytes: number): void {
    assert(this.sink !== undefined, 'receive before attach');
    assert(!this.receivePending && this.receiveAnswer === NONE, 'two receives at once');
    assert(lengthBytes > 0, 'receive of nothing');
    if (this.isClosing) {
      this.answerReceive(-ERRNO.ECANCELED);
      return;
    }
    this.receiveOffset = memoryOffset;
    this.receiveBytes = lengthBytes;
    this.receivePending = true;
    this.table.submitReceive(this.index, this.fd, memoryOffset, lengthBytes);
  }

  send(segments: SegmentList): void {
    assert(this.sink !== undefined, 'send before attach');
    assert(!this.sendPending && this.sendAnswer === NONE, 'two sends at once');
    this.vectors.start(segments);
    const failure = this.isClosing ? -ERRNO.ECANCELED : this.sendNow();
    if (failure < 0 || this.vectors.remainingBytes === 0) {
      this.answerSend(failure);
      return;
    }
    this.sendPending = true;
    this.table.submitSend(this.index, this.fd, this.vectors.address);
  }

  close(): void {
    if (this.isClosing) return;
    this.isClosing = true;
    // Ends what is in the ring; an error (the peer has reset the connection) means that there is nothing to end.
    shutdown(this.fd, SHUT_RDWR);
    this.queueDelivery();
  }

  /** For `UringStreams`. */
  receiveCompleted(result: number): void {
    this.receivePending = false;
    if (this.isClosing) {
      this.answerReceive(-ERRNO.ECANCELED);
    } else if (isTransient(result)) {
      this.receive(this.receiveOffset, this.receiveBytes);
    } else {
      this.sink!.received(result);
    }
  }

  /** For `UringStreams`. */
  sendCompleted(result: number): void {
    if (result > 0) this.vectors.advance(result);
    const isOut = this.vectors.remainingBytes === 0;
    if (!isOut && !this.isClosing && (result >= 0 || isTransient(result))) {
      this.table.submitSend(this.index, this.fd, this.vectors.address);
      return;
    }
    this.sendPending = false;
    if (this.isClosing) this.answerSend(isOut ? 0 : -ERRNO.ECANCELED);
    else this.sink!.sent(isOut ? 0 : result);
  }

  /** For `UringStreams`: outside any call of the stream, hands over the answers that are due. */
  deliver(): void {
    this.isQueued = false;
    const sendAnswer = this.sendAnswer;
    const receiveAnswer = this.receiveAnswer;
    this.sendAnswer = NONE;
    this.receiveAnswer = NONE;
    if (sendAnswer !== NONE) this.sink!.sent(sendAnswer);
    if (receiveAnswer !== NONE) this.sink!.received(receiveAnswer);
    if (this.isClosing && !this.isQueued) this.closeIfQuiet();
  }

  /** One try that does not wait, per part of the list. Returns 0 or a negative errno that ends the send. */
  private sendNow(): number {
    while (this.vectors.remainingBytes > 0) {
      const result = sendmsg(this.fd, this.vectors.address, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (result < 0) return isTransient(result) ? 0 : result;
      this.vectors.advance(result);
    }
    return 0;
  }

  private answerReceive(result: number): void {
    this.receiveAnswer = result;
    this.queueDelivery();
  }

  private answerSend(result: number): void {
    this.sendAnswer = result;
    this.queueDelivery();
  }

  private queueDelivery(): void {
    if (this.isQueued || this.isClosed) return;
    this.isQueued = true;
    this.table.queueDelivery(this.index);
  }

  private closeIfQuiet(): void {
    if (this.receivePending || this.sendPending || this.isClosed) return;
    this.isClosed = true;
    close(this.fd);
    this.table.release(this.index);
    this.sink?.closed();
  }
}

/** No answer of the kernel: those are 0, positive or a negative errno. */
const NONE = 1;
const SHUT_RDWR = 2;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;

function isTransient(result: number): boolean {
  return result === -ERRNO.EAGAIN || result === -ERRNO.EINTR;
}
