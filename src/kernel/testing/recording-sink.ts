import { assert } from '../../base/assert.js';
import type { ByteStream, ByteStreamSink, SegmentList } from '../../ports/byte-stream.js';

/** Writes down what a stream answers, and notices answers inside a call or after the last one. */
export class RecordingSink implements ByteStreamSink {
  readonly stream: ByteStream;
  readonly receivedResults: number[] = [];
  readonly sentResults: number[] = [];
  closedCount = 0;
  /** As a protocol does that has nothing more to say then. */
  closesOnFailure = false;
  private isInsideCall = false;

  constructor(stream: ByteStream) {
    this.stream = stream;
    stream.attach(this);
  }

  receive(memoryOffset: number, lengthBytes: number): void {
    this.call(() => this.stream.receive(memoryOffset, lengthBytes));
  }

  send(segments: SegmentList): void {
    this.call(() => this.stream.send(segments));
  }

  close(): void {
    this.call(() => this.stream.close());
  }

  received(result: number): void {
    this.check();
    this.receivedResults.push(result);
    if (result < 0 && this.closesOnFailure) this.stream.close();
  }

  sent(result: number): void {
    this.check();
    this.sentResults.push(result);
  }

  closed(): void {
    this.check();
    this.closedCount += 1;
  }

  private call(action: () => void): void {
    this.isInsideCall = true;
    action();
    this.isInsideCall = false;
  }

  private check(): void {
    assert(!this.isInsideCall, 'answered inside a call');
    assert(this.closedCount === 0, 'answered after closed');
  }
}
