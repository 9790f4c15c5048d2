import { assert } from '../../../base/assert.js';
import { ERRNO } from '../../../base/errno.js';
import type { ByteStream, ByteStreamSink, SegmentList } from '../../../ports/byte-stream.js';
import type { IoMemory } from '../../../ports/io-memory.js';
import type { TestLoop } from '../../testing/test-loop.js';

/** The server's end of a connection whose other end is a test: it hands in bytes and looks at what came out. */
export class MemoryStream implements ByteStream {
  /** Whether the client takes what is sent. */
  reading = true;
  /** Most bytes one receive gives; a test may change it to cut the input anywhere. */
  receiveLimit: () => number = () => Number.MAX_SAFE_INTEGER;
  isClosed = false;
  private readonly memory: IoMemory;
  private readonly loop: TestLoop;
  private sink: ByteStreamSink | null = null;
  private input: Uint8Array[] = [];
  private inputEnded = false;
  private output: Uint8Array[] = [];
  private wanted: { memoryOffset: number; lengthBytes: number } | null = null;
  private sending: SegmentList | null = null;
  private closing = false;
  private pendingCalls = 0;

  constructor(memory: IoMemory, loop: TestLoop) {
    this.memory = memory;
    this.loop = loop;
  }

  attach(sink: ByteStreamSink): void {
    this.sink = sink;
  }

  receive(memoryOffset: number, lengthBytes: number): void {
    assert(this.wanted === null && lengthBytes > 0, 'one receive at a time');
    assert(memoryOffset >= 0 && memoryOffset + lengthBytes <= this.memory.bytes.length, 'inside the memory');
    this.wanted = { memoryOffset, lengthBytes };
    this.deliver();
  }

  send(segments: SegmentList): void {
    assert(this.sending === null && segments.count > 0, 'one send at a time');
    this.sending = segments;
    this.takeOutput();
  }

  close(): void {
    if (this.closing) return;
    this.closing = true;
    if (this.wanted !== null) this.answer(() => this.giveReceived(-ERRNO.ECONNRESET));
    if (this.sending !== null) this.answer(() => this.giveSent(-ERRNO.EPIPE));
    this.finishClose();
  }

  /** The client sends. */
  feed(bytes: Uint8Array): void {
    if (bytes.length > 0) this.input.push(bytes);
    this.deliver();
  }

  /** The client closes its end. */
  end(): void {
    this.inputEnded = true;
    this.deliver();
  }

  /** Takes what the server has sent so far. */
  takeSent(): Uint8Array {
    const all = Buffer.concat(this.output);
    this.output = [];
    return new Uint8Array(all.buffer, all.byteOffset, all.length);
  }

  resumeReading(): void {
    this.reading = true;
    this.takeOutput();
  }

  private deliver(): void {
    if (this.wanted === null || this.closing) return;
    if (this.input.length === 0 && !this.inputEnded) return;
    this.answer(() => this.fillReceive());
  }

  private fillReceive(): void {
    if (this.wanted === null || this.closing) return;
    const first = this.input[0];
    if (first === undefined) {
      if (this.inputEnded) this.giveReceived(0);
      return;
    }
    const lengthBytes = Math.max(1, Math.min(first.length, this.wanted.lengthBytes, this.receiveLimit()));
    this.memory.bytes.set(first.subarray(0, lengthBytes), this.wanted.memoryOffset);
    if (lengthBytes === first.length) this.input.shift();
    else this.input[0] = first.subarray(lengthBytes);
    this.giveReceived(lengthBytes);
  }

  private giveReceived(result: number): void {
    if (this.wanted === null) return;
    this.wanted = null;
    this.sink?.received(result);
  }

  private takeOutput(): void {
    if (this.sending === null || !this.reading || this.closing) return;
    this.answer(() => {
      if (this.sending === null || this.closing) return;
      for (let i = 0; i < this.sending.count; i += 1) {
        const offset = this.sending.offsets[i]!;
        this.output.push(this.memory.bytes.slice(offset, offset + this.sending.lengths[i]!));
      }
      this.giveSent(0);
    });
  }

  private giveSent(result: number): void {
    if (this.sending === null) return;
    this.sending = null;
    this.sink?.sent(result);
  }

  private answer(call: () => void): void {
    this.pendingCalls += 1;
    this.loop.after(0, () => {
      this.pendingCalls -= 1;
      call();
    });
  }

  private finishClose(): void {
    this.loop.after(0, () => {
      if (this.pendingCalls > 0) {
        this.finishClose();
        return;
      }
      this.isClosed = true;
      this.sink?.closed();
    });
  }
}
