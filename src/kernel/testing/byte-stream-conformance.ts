import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { assert } from '../../base/assert.js';
import { ERRNO } from '../../base/errno.js';
import { type ByteStream, SegmentList } from '../../ports/byte-stream.js';
import type { IoMemory } from '../../ports/io-memory.js';
import { shutdown } from '../ffi.js';
import { socketPair } from '../socket-pair.js';
import { RecordingSink } from './recording-sink.js';

/** One implementation with its loop. */
export interface StreamHarness {
  /** `HARNESS_MEMORY_BYTES` of it. */
  readonly memory: IoMemory;
  adopt(fd: number): ByteStream;
  /** One turn of the loop, waiting a little for something to happen. */
  turn(): Promise<void>;
  /** After all streams have closed. */
  close(): void;
}

/** What every `ByteStream` must do. */
export function byteStreamConformance(name: string, makeHarness: () => StreamHarness): void {
  describe(`${name} as a ByteStream`, () => {
    let pair: StreamPair;
    beforeEach(() => {
      pair = new StreamPair(makeHarness());
    });
    afterEach(() => pair.end());
    for (const [title, run] of Object.entries(CASES)) test(title, () => run(pair));
  });
}

/** Bytes to send are in the first half of the memory, received ones go to the second. */
const OUT_BYTES = 4 << 20;
export const HARNESS_MEMORY_BYTES = 2 * OUT_BYTES;
const SHUT_WR = 1;

const CASES: Record<string, (pair: StreamPair) => Promise<void>> = {
  'bytes arrive in order, at the requested place, in the requested portions': async (pair) => {
    pair.right.receive(OUT_BYTES, 10);
    pair.left.send(segmentsOf([16, 0, 84]));
    await pair.settle(() => pair.right.receivedResults.length === 1 && pair.left.sentResults.length === 1);
    expect(pair.right.receivedResults).toEqual([10]);
    expect(pair.left.sentResults).toEqual([0]);
    pair.right.receive(OUT_BYTES + 10, 90);
    await pair.settle(() => pair.right.receivedResults.length === 2);
    expect(pair.right.receivedResults).toEqual([10, 90]);
    pair.expectReceived(100);
    expect(pair.memory.bytes[OUT_BYTES + 100]).toBe(0);
  },

  'segments may lie anywhere in the memory': async (pair) => {
    const segments = new SegmentList(2);
    segments.push(5000, 3);
    segments.push(100, 2);
    pair.left.send(segments);
    await pair.receiveAll(pair.right, 5, 5);
    const { bytes } = pair.memory;
    expect([...bytes.subarray(OUT_BYTES, OUT_BYTES + 5)]).toEqual([
      ...bytes.subarray(5000, 5003),
      ...bytes.subarray(100, 102),
    ]);
  },

  'sending nothing is answered': async (pair) => {
    pair.left.send(segmentsOf([]));
    await pair.settle(() => pair.left.sentResults.length === 1);
    expect(pair.left.sentResults).toEqual([0]);
  },

  'megabytes in thousands of segments get through to a slow reader': async (pair) => {
    pair.left.send(segmentsOf(Array.from({ length: 3500 }, (_, index) => 1 + ((index * 131) % 2300))));
    const totalBytes = Array.from({ length: 3500 }, (_, index) => 1 + ((index * 131) % 2300)).reduce(
      (a, b) => a + b,
    );
    expect(totalBytes).toBeLessThan(OUT_BYTES);
    expect(pair.left.sentResults).toEqual([]);
    await pair.receiveAll(pair.right, totalBytes, 30_011);
    await pair.settle(() => pair.left.sentResults.length === 1);
    expect(pair.left.sentResults).toEqual([0]);
    pair.expectReceived(totalBytes);
  },

  'both directions work at once, send after send': async (pair) => {
    for (let round = 0; round < 50; round += 1) {
      pair.left.receive(OUT_BYTES, 4096);
      pair.right.receive(OUT_BYTES + 8192, 4096);
      pair.left.send(segmentsOf([28, 4000]));
      pair.right.send(segmentsOf([28, 4000]));
      await pair.settle(() => pair.left.sentResults.length > round && pair.right.sentResults.length > round);
      await pair.settle(
        () => pair.left.receivedResults.length > round && pair.right.receivedResults.length > round,
      );
    }
    expect(pair.left.receivedResults).toEqual(new Array(50).fill(4028));
    expect(pair.right.receivedResults).toEqual(new Array(50).fill(4028));
    expect([...pair.left.sentResults, ...pair.right.sentResults]).toEqual(new Array(100).fill(0));
  },

  'close answers a pending receive with an error, then says closed': async (pair) => {
    pair.left.receive(OUT_BYTES, 100);
    await pair.idle();
    pair.left.close();
    pair.left.close();
    expect(pair.left.closedCount).toBe(0);
    await pair.settle(() => pair.left.closedCount === 1);
    expect(pair.left.receivedResults).toEqual([-ERRNO.ECANCELED]);
    expect(pair.left.closedCount).toBe(1);
  },

  'close answers a send that the peer does not take with an error': async (pair) => {
    pair.left.send(segmentsOf([OUT_BYTES]));
    await pair.idle();
    expect(pair.left.sentResults).toEqual([]);
    pair.left.close();
    await pair.settle(() => pair.left.closedCount === 1);
    expect(pair.left.sentResults).toEqual([-ERRNO.ECANCELED]);
  },

  'calls after close are answered with an error': async (pair) => {
    pair.left.close();
    pair.left.receive(OUT_BYTES, 100);
    pair.left.send(segmentsOf([10]));
    await pair.settle(() => pair.left.closedCount === 1);
    expect(pair.left.receivedResults).toEqual([-ERRNO.ECANCELED]);
    expect(pair.left.sentResults).toEqual([-ERRNO.ECANCELED]);
  },

  'the end of the peer is a receive of 0 bytes after its last data, and sending then fails': async (pair) => {
    pair.left.send(segmentsOf([100]));
    await pair.settle(() => pair.left.sentResults.length === 1);
    pair.left.close();
    await pair.settle(() => pair.left.closedCount === 1);
    await pair.receiveAll(pair.right, 100, 60);
    pair.right.receive(OUT_BYTES, 60);
    await pair.settle(() => pair.right.receivedResults.length === 3);
    expect(pair.right.receivedResults).toEqual([60, 40, 0]);
    pair.right.send(segmentsOf([100]));
    await pair.settle(() => pair.right.sentResults.length === 1);
    expect(pair.right.sentResults[0]).toBeLessThan(0);
    expect(pair.right.closedCount).toBe(0);
  },

  'a peer that has only finished sending still gets its reply': async (pair) => {
    pair.right.receive(OUT_BYTES, 60);
    shutdown(pair.leftFd, SHUT_WR);
    await pair.settle(() => pair.right.receivedResults.length === 1);
    expect(pair.right.receivedResults).toEqual([0]);
    pair.right.send(segmentsOf([100]));
    await pair.receiveAll(pair.left, 100, 100);
    await pair.settle(() => pair.right.sentResults.length === 1);
    expect(pair.right.sentResults).toEqual([0]);
  },

  'a peer that resets the connection ends a receive with an error; closing within that answer is said once':
    async (pair) => {
      pair.left.closesOnFailure = true;
      pair.left.receive(OUT_BYTES, 100);
      // What it has not read makes the end of a unix socket a reset.
      pair.left.send(segmentsOf([OUT_BYTES]));
      await pair.idle();
      pair.right.close();
      await pair.settle(() => pair.left.closedCount > 0);
      await pair.idle();
      expect(pair.left.receivedResults).toEqual([expect.any(Number)]);
      expect(pair.left.receivedResults[0]).toBeLessThan(0);
      expect(pair.left.closedCount).toBe(1);
    },

  'a peer that dies while a send waits for it makes the send fail': async (pair) => {
    pair.left.send(segmentsOf([OUT_BYTES]));
    await pair.idle();
    pair.right.close();
    await pair.settle(() => pair.left.sentResults.length > 0);
    expect(pair.left.sentResults[0]).toBeLessThan(0);
  },
};

/** Two streams that are each other's peer, over a unix socket pair. */
class StreamPair {
  readonly memory: IoMemory;
  readonly left: RecordingSink;
  readonly right: RecordingSink;
  readonly leftFd: number;
  private readonly harness: StreamHarness;

  constructor(harness: StreamHarness) {
    const fds = socketPair();
    assert(fds.ok, 'no socket pair');
    this.harness = harness;
    this.memory = harness.memory;
    this.leftFd = fds.value[0];
    this.left = new RecordingSink(harness.adopt(fds.value[0]));
    this.right = new RecordingSink(harness.adopt(fds.value[1]));
    for (let index = 0; index < OUT_BYTES; index += 1) {
      this.memory.bytes[index] = (index * 7 + (index >>> 9)) & 255;
    }
  }

  /** Turns the loop until `done`, or for a bounded while. */
  async settle(done: () => boolean): Promise<void> {
    for (let turn = 0; turn < 200 && !done(); turn += 1) await this.harness.turn();
  }

  /** Time enough for anything that is going to happen by itself. */
  async idle(): Promise<void> {
    for (let turn = 0; turn < 5; turn += 1) await this.harness.turn();
  }

  /** Receives `totalBytes` in steps of at most `stepBytes`. */
  async receiveAll(sink: RecordingSink, totalBytes: number, stepBytes: number): Promise<void> {
    let doneBytes = 0;
    while (doneBytes < totalBytes) {
      const answers = sink.receivedResults.length;
      sink.receive(OUT_BYTES + doneBytes, Math.min(stepBytes, totalBytes - doneBytes));
      await this.settle(() => sink.receivedResults.length > answers);
      const result = sink.receivedResults[answers] ?? 0;
      expect(result).toBeGreaterThan(0);
      doneBytes += result;
    }
  }

  /** What was sent from the start of the memory has arrived. */
  expectReceived(totalBytes: number): void {
    const { bytes } = this.memory;
    const received = bytes.subarray(OUT_BYTES, OUT_BYTES + totalBytes);
    expect(Buffer.compare(bytes.subarray(0, totalBytes), received)).toBe(0);
  }

  async end(): Promise<void> {
    this.left.close();
    this.right.close();
    await this.settle(() => this.left.closedCount + this.right.closedCount === 2);
    expect([this.left.closedCount, this.right.closedCount]).toEqual([1, 1]);
    this.harness.close();
  }
}

/** Segments of these lengths, one behind another from the start of the memory. */
function segmentsOf(lengths: number[]): SegmentList {
  const segments = new SegmentList(lengths.length);
  let offset = 0;
  for (const lengthBytes of lengths) {
    segments.push(offset, lengthBytes);
    offset += lengthBytes;
  }
  return segments;
}
