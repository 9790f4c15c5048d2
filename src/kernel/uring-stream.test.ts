import { expect, test } from 'vitest';
import { assert } from '../base/assert.js';
import { ERRNO } from '../base/errno.js';
import { SegmentList } from '../ports/byte-stream.js';
import { mapMemory } from './aligned-memory.js';
import { UringReactor } from './reactor.js';
import { socketPair } from './socket-pair.js';
import {
  byteStreamConformance,
  HARNESS_MEMORY_BYTES,
  type StreamHarness,
} from './testing/byte-stream-conformance.js';
import { RecordingSink } from './testing/recording-sink.js';
import { describeUring } from './testing/uring-available.js';
import { UringStreams } from './uring-streams.js';

describeUring('UringStream', () => {
  byteStreamConformance('UringStream', makeHarness);

  test('a place is given to the next socket after the old one has closed, and not before', () => {
    const reactor = openReactor();
    const memory = mapMemory(4096);
    const streams = new UringStreams(reactor, memory, 2);
    for (let round = 0; round < 20; round += 1) {
      const sinks = openPair(streams).map((stream) => new RecordingSink(stream));
      expect(streams.adopt(openFds()[0])).toEqual({ ok: false, error: ERRNO.ENOBUFS });
      for (const sink of sinks) sink.receive(0, 100);
      reactor.turn(0);
      for (const sink of sinks) sink.close();
      for (let turn = 0; turn < 100 && streams.openCount > 0; turn += 1) reactor.turn(20);
      expect(sinks.map((sink) => sink.closedCount)).toEqual([1, 1]);
      expect(sinks.map((sink) => sink.receivedResults)).toEqual([[-ERRNO.ECANCELED], [-ERRNO.ECANCELED]]);
    }
    streams.close();
    reactor.close();
    memory.unmap();
  });

  test('an answer that becomes due late in a turn is delivered without waiting for anything else', () => {
    const reactor = openReactor();
    const memory = mapMemory(4096);
    const streams = new UringStreams(reactor, memory, 2);
    const sinks = openPair(streams).map((stream) => new RecordingSink(stream));
    const lateSender = {
      poll() {
        if (sinks[0]!.sentResults.length > 0) reactor.stop();
        else if (!hasSent) sinks[0]!.send(new SegmentList(0));
        hasSent = true;
        return false;
      },
    };
    let hasSent = false;
    let wasLate = false;
    reactor.addPoller(lateSender);
    reactor.after(3000, () => {
      wasLate = true;
      reactor.stop();
    });
    reactor.run();
    expect(wasLate).toBe(false);
    reactor.removePoller(lateSender);
    for (const sink of sinks) sink.close();
    for (let turn = 0; turn < 100 && streams.openCount > 0; turn += 1) reactor.turn(20);
    streams.close();
    reactor.close();
    memory.unmap();
  });

  test('something that is not a socket is refused', () => {
    const reactor = openReactor();
    const memory = mapMemory(4096);
    const streams = new UringStreams(reactor, memory, 2);
    expect(streams.adopt(-1)).toEqual({ ok: false, error: ERRNO.EBADF });
    expect(streams.openCount).toBe(0);
    streams.close();
    reactor.close();
    memory.unmap();
  });
});

function makeHarness(): StreamHarness {
  const reactor = openReactor();
  const memory = mapMemory(HARNESS_MEMORY_BYTES);
  const streams = new UringStreams(reactor, memory);
  return {
    memory,
    adopt(fd) {
      const adopted = streams.adopt(fd);
      assert(adopted.ok, 'not adopted');
      return adopted.value;
    },
    turn: async () => {
      reactor.turn(10);
    },
    close() {
      streams.close();
      reactor.close();
      memory.unmap();
    },
  };
}

function openReactor(): UringReactor {
  const opened = UringReactor.open(64);
  assert(opened.ok, 'no ring');
  return opened.value;
}

function openFds(): [number, number] {
  const pair = socketPair();
  assert(pair.ok, 'no socket pair');
  return pair.value;
}

function openPair(streams: UringStreams) {
  return openFds().map((fd) => {
    const adopted = streams.adopt(fd);
    assert(adopted.ok, 'not adopted');
    return adopted.value;
  });
}
