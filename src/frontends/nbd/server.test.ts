import { describe, expect, it } from 'vitest';
import { ERRNO } from '../../base/errno.js';
import { RunState } from '../../ports/served-device.js';
import { HANDSHAKE_MS, MAX_CONNECTIONS, STALL_MS, STOP_GRACE_MS, TICK_MS } from './limits.js';
import { Chunk, Command, CommandFlag } from './protocol.js';
import type { MemoryStream } from './testing/memory-stream.js';
import { parseReplies, type ReplySeen, requestBytes, type TestRequest } from './testing/test-client.js';
import { TestServer } from './testing/test-server.js';

const BOTH = ['base:allocation', 'x-dm-remap:state'];

/** Sends requests, lets everything settle and gives the replies. */
function ask(test: TestServer, stream: MemoryStream, ...requests: TestRequest[]): ReplySeen[] {
  for (const request of requests) stream.feed(requestBytes(request));
  test.loop.settle();
  return takeReplies(stream, requests);
}

function takeReplies(stream: MemoryStream, requests: readonly TestRequest[]): ReplySeen[] {
  return parseReplies(stream.takeSent(), (cookie) => {
    const request = requests.find((candidate) => candidate.cookie === cookie);
    return request?.type === Command.read ? (request.length ?? 0) : 0;
  });
}

function pattern(lengthBytes: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: lengthBytes }, (_, i) => (i * 7 + (i >> 8) + seed) & 0xff);
}

function leave(test: TestServer, stream: MemoryStream): void {
  stream.end();
  test.loop.settle();
  expect(stream.isClosed).toBe(true);
  expect(test.isIdle).toBe(true);
}

describe.each([
  ['simple', false],
  ['structured', true],
] as const)('the transmission phase with %s replies', (_, structured) => {
  it('reads back what was written, with the same 64 bits of cookie', () => {
    const test = new TestServer();
    const stream = test.connectAndGo(structured);
    const payload = pattern(4096, 3);
    const cookie = 0xffffffffffffffffn;
    ask(test, stream, { type: Command.write, cookie: 0n, offset: 8192n, payload });
    const [reply] = ask(test, stream, { type: Command.read, cookie, offset: 8192n, length: 4096 });
    expect(reply?.cookie).toBe(cookie);
    expect(reply?.structured).toBe(structured);
    expect(reply?.flags).toBe(structured ? 1 : 0);
    const data = structured ? reply?.data.subarray(8) : reply?.data;
    expect(Buffer.compare(data!, payload)).toBe(0);
    if (structured) expect(reply?.data.readBigUInt64BE(0)).toBe(8192n);
    leave(test, stream);
  });

  const size = 1 << 20;
  const refused: [string, TestRequest, number][] = [
    ['an unknown command', { type: 8, cookie: 1n }, ERRNO.EINVAL],
    ['another unknown command', { type: 0xffff, cookie: 1n }, ERRNO.EINVAL],
    ['an undefined flag', { type: Command.read, flags: 0x8000, cookie: 1n, length: 512 }, ERRNO.EINVAL],
    ['FAST_ZERO on a read', { type: Command.read, flags: 16, cookie: 1n, length: 512 }, ERRNO.EINVAL],
    ['an unaligned offset', { type: Command.read, cookie: 1n, offset: 1n, length: 512 }, ERRNO.EINVAL],
    ['an unaligned length', { type: Command.write, cookie: 1n, payload: pattern(100, 1) }, ERRNO.EINVAL],
    [
      'a read past the end',
      { type: Command.read, cookie: 1n, offset: BigInt(size), length: 512 },
      ERRNO.EINVAL,
    ],
    [
      'a write past the end',
      { type: Command.write, cookie: 1n, offset: BigInt(size), payload: pattern(512, 1) },
      ERRNO.ENOSPC,
    ],
    [
      'zeroes past the end',
      { type: Command.writeZeroes, cookie: 1n, offset: BigInt(size - 512), length: 1024 },
      ERRNO.ENOSPC,
    ],
    ['a trim past the end', { type: Command.trim, cookie: 1n, offset: 0n, length: 0xfffffe00 }, ERRNO.EINVAL],
    [
      'an offset near 2^64',
      { type: Command.read, cookie: 1n, offset: 2n ** 64n - 512n, length: 1024 },
      ERRNO.EINVAL,
    ],
    ['a read above 32 MiB', { type: Command.read, cookie: 1n, length: (32 << 20) + 512 }, ERRNO.EINVAL],
    ['status without contexts', { type: Command.blockStatus, cookie: 1n, length: 512 }, ERRNO.EINVAL],
    ['a flush with an offset', { type: Command.flush, cookie: 1n, offset: 512n }, ERRNO.EINVAL],
  ];
  it.each(refused)('refuses %s and goes on', (_name, request, errno) => {
    const test = new TestServer();
    const stream = test.connectAndGo(structured);
    const next: TestRequest = { type: Command.read, cookie: 2n, length: 512 };
    const replies = ask(test, stream, request, next);
    const errors = replies.map((reply) => [reply.cookie, reply.error]);
    expect(errors).toContainEqual([1n, errno]);
    expect(errors).toContainEqual([2n, 0]);
    expect(errors.length).toBe(2);
    leave(test, stream);
  });

  it('accepts FUA on every command, and makes writes, zeroes and trims durable', () => {
    const test = new TestServer();
    const stream = test.connectAndGo(structured, structured ? BOTH : []);
    const flags = CommandFlag.fua;
    const replies = ask(
      test,
      stream,
      { type: Command.read, flags, cookie: 1n, length: 512 },
      { type: Command.write, flags, cookie: 2n, payload: pattern(512, 1) },
      { type: Command.flush, flags, cookie: 3n },
      { type: Command.trim, flags, cookie: 4n, length: 512 },
      { type: Command.cache, flags, cookie: 5n, length: 512 },
      { type: Command.writeZeroes, flags, cookie: 6n, length: 512 },
    );
    expect(replies.map((reply) => reply.error)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(test.device.log).toContain('writeDurable 0+512');
    expect(test.device.log).toContain('zero3 0+512');
    const trimmedAt = test.device.log.indexOf('discard 0+512');
    expect(test.device.log.slice(trimmedAt)).toContain('flush 0+0');
    leave(test, stream);
  });

  it('tolerates requests of length 0', () => {
    const test = new TestServer();
    const stream = test.connectAndGo(structured);
    const types = [Command.read, Command.write, Command.trim, Command.cache, Command.writeZeroes];
    const requests = types.map((type, i) => ({ type, cookie: BigInt(i), length: 0 }));
    expect(ask(test, stream, ...requests).map((reply) => reply.error)).toEqual([0, 0, 0, 0, 0]);
    expect(test.device.log).toEqual([]);
  });

  it('passes NO_HOLE and FAST_ZERO on, and says ENOTSUP for FAST_ZERO alone', () => {
    const test = new TestServer();
    const stream = test.connectAndGo(structured);
    test.device.failure = () => ERRNO.EOPNOTSUPP;
    const replies = ask(
      test,
      stream,
      { type: Command.writeZeroes, flags: CommandFlag.fastZero, cookie: 1n, length: 512 },
      { type: Command.writeZeroes, flags: CommandFlag.noHole, cookie: 2n, length: 512 },
      { type: Command.trim, cookie: 3n, length: 512 },
    );
    const errors = new Map(replies.map((reply) => [reply.cookie, reply.error]));
    expect(test.device.log.slice(0, 2)).toEqual(['zero6 0+512', 'zero0 0+512']);
    expect([errors.get(1n), errors.get(2n), errors.get(3n)]).toEqual([ERRNO.EOPNOTSUPP, ERRNO.EINVAL, 0]);
  });

  it('shows device errors as the errors the protocol knows', () => {
    const test = new TestServer();
    const stream = test.connectAndGo(structured);
    const cases: [number, number][] = [
      [ERRNO.ENODEV, ERRNO.EIO],
      [ERRNO.EBUSY, ERRNO.EIO],
      [ERRNO.EROFS, ERRNO.EPERM],
      [ERRNO.EDQUOT, ERRNO.ENOSPC],
      [ERRNO.EINVAL, ERRNO.EINVAL],
    ];
    for (const [errno, shown] of cases) {
      test.device.failure = () => errno;
      const [reply] = ask(test, stream, { type: Command.write, cookie: 9n, payload: pattern(512, 1) });
      expect(reply?.error).toBe(shown);
    }
    leave(test, stream);
  });

  it.each([1, 7, 4096, 100_000])('takes a large write in pieces, received %i bytes at a time', (limit) => {
    const test = new TestServer({ memoryBytes: 8 << 20, geometry: { memoryAlignmentBytes: 512 } });
    const stream = test.connectAndGo(structured);
    stream.receiveLimit = () => limit;
    const payload = pattern(limit < 100 ? 70_144 : 900_096, 5);
    const [reply] = ask(test, stream, { type: Command.write, cookie: 1n, offset: 512n, payload });
    expect(reply?.error).toBe(0);
    expect(Buffer.compare(test.device.data.subarray(512, 512 + payload.length), payload)).toBe(0);
    leave(test, stream);
  });

  it('reports the worst error of a write made of several pieces', () => {
    const test = new TestServer();
    const stream = test.connectAndGo(structured);
    test.device.failure = (_operation, offsetBytes) => (offsetBytes === 0 ? ERRNO.ENOSPC : ERRNO.ENODEV);
    const [reply] = ask(test, stream, { type: Command.write, cookie: 1n, payload: pattern(1 << 20, 1) });
    expect(reply?.error).toBe(ERRNO.EIO);
    leave(test, stream);
  });

  it('finishes what is outstanding on DISC, does nothing behind it, and closes', () => {
    const test = new TestServer();
    const stream = test.connectAndGo(structured);
    test.device.holding = true;
    const requests: TestRequest[] = [
      { type: Command.read, cookie: 1n, length: 512 },
      { type: Command.disconnect, flags: 0xffff, cookie: 2n },
      { type: Command.write, cookie: 3n, payload: pattern(512, 9) },
    ];
    expect(ask(test, stream, ...requests)).toEqual([]);
    expect(stream.isClosed).toBe(false);
    test.device.resume();
    test.loop.settle();
    expect(takeReplies(stream, requests).map((reply) => reply.cookie)).toEqual([1n]);
    expect(stream.isClosed).toBe(true);
    expect(test.device.data[0]).toBe(0);
    expect(test.isIdle).toBe(true);
  });

  it('frees everything when the client leaves with requests in flight', () => {
    const test = new TestServer({ geometry: { memoryAlignmentBytes: 512 } });
    const stream = test.connectAndGo(structured);
    test.device.holding = true;
    ask(test, stream, { type: Command.read, cookie: 1n, length: 512 << 10 });
    ask(test, stream, { type: Command.write, cookie: 2n, payload: pattern(4096, 1) });
    stream.feed(
      requestBytes({ type: Command.write, cookie: 3n, payload: pattern(400_384, 1) }).subarray(0, 300_000),
    );
    stream.end();
    test.loop.settle();
    expect(stream.isClosed).toBe(true);
    expect(test.server.usage.connections).toBe(1);
    test.device.resume();
    test.loop.settle();
    expect(test.isIdle).toBe(true);
    expect(test.events.at(-1)).toMatchObject({ kind: 'disconnected' });
  });

  it('never writes bytes it did not receive', () => {
    const test = new TestServer();
    const stream = test.connectAndGo(structured);
    stream.feed(
      requestBytes({ type: Command.write, cookie: 1n, payload: pattern(4096, 1) }).subarray(0, 2000),
    );
    leave(test, stream);
    expect(test.device.log).toEqual([]);
  });
});

describe('the NBD server', () => {
  it('answers reads of up to 32 MiB, in order of arrival when memory is short', () => {
    const geometry = { sizeBytes: 40 << 20 };
    const test = new TestServer({ geometry, memoryBytes: 36 << 20, slotCount: 8 });
    test.device.data.set(pattern(1 << 20, 1), 8 << 20);
    const streams = [test.connectAndGo(false), test.connectAndGo(true), test.connectAndGo(false)];
    const request: TestRequest = { type: Command.read, cookie: 5n, length: 32 << 20 };
    for (const stream of streams) stream.feed(requestBytes(request));
    test.loop.settle();
    for (const stream of streams) {
      const [reply] = takeReplies(stream, [request]);
      const data = reply!.structured ? reply!.data.subarray(8) : reply!.data;
      expect(Buffer.compare(data, test.device.data.subarray(0, 32 << 20))).toBe(0);
      stream.end();
    }
    test.loop.settle();
    expect(test.isIdle).toBe(true);
  });

  it('consumes a write of up to 64 MiB that is too long, and closes on a longer one', () => {
    const test = new TestServer();
    const stream = test.connectAndGo(false);
    const long = requestBytes({ type: Command.write, cookie: 1n, payload: new Uint8Array((32 << 20) + 512) });
    stream.feed(long);
    expect(ask(test, stream, { type: Command.flush, cookie: 2n }).map((reply) => reply.error)).toEqual([
      22, 0,
    ]);
    stream.feed(requestBytes({ type: Command.write, cookie: 3n, length: (64 << 20) + 512 }));
    test.loop.settle();
    expect(stream.isClosed).toBe(true);
  });

  it('closes on a wrong request magic', () => {
    const test = new TestServer();
    const stream = test.connectAndGo(false);
    stream.feed(new Uint8Array(28));
    test.loop.settle();
    expect(stream.isClosed).toBe(true);
    expect(test.isIdle).toBe(true);
  });

  it('refuses every change of a read-only export with EPERM', () => {
    const test = new TestServer({ geometry: { readOnly: true } });
    const stream = test.connectAndGo(false);
    const replies = ask(
      test,
      stream,
      { type: Command.write, cookie: 1n, payload: pattern(512, 1) },
      { type: Command.trim, cookie: 2n, length: 512 },
      { type: Command.writeZeroes, cookie: 3n, length: 512 },
      { type: Command.flush, cookie: 4n },
    );
    expect(replies.map((reply) => reply.error)).toEqual([1, 1, 1, 0]);
  });

  it('gives one status chunk per context, neighbours merged, DONE on the last', () => {
    const test = new TestServer();
    test.device.state = (offsetBytes) => {
      const states = [RunState.hole, 0, RunState.remapped, RunState.remapped | RunState.lost];
      return { state: states[Math.floor(offsetBytes / 4096)] ?? 0, lengthBytes: 4096 - (offsetBytes % 4096) };
    };
    const stream = test.connectAndGo(true, BOTH);
    const replies = ask(test, stream, { type: Command.blockStatus, cookie: 1n, length: 32768 });
    expect(replies.map((reply) => [reply.chunk, reply.flags])).toEqual([
      [Chunk.blockStatus, 0],
      [Chunk.blockStatus, 1],
    ]);
    expect(replies.map((reply) => numbers(reply.data))).toEqual([
      [1, 4096, 3, 28672, 0],
      [2, 8192, 0, 4096, 1, 4096, 3, 16384, 0],
    ]);
    const one = ask(test, stream, {
      type: Command.blockStatus,
      flags: CommandFlag.requestOne,
      cookie: 2n,
      offset: 4096n,
      length: 8192,
    });
    expect(one.map((reply) => numbers(reply.data))).toEqual([
      [1, 8192, 0],
      [2, 4096, 0],
    ]);
    leave(test, stream);
  });

  it('bounds a status reply over endlessly changing blocks', () => {
    const test = new TestServer({ geometry: { sizeBytes: 16 << 20 } });
    test.device.state = (offsetBytes) => ({ state: (offsetBytes / 512) & 1, lengthBytes: 512 });
    const stream = test.connectAndGo(true, BOTH);
    const replies = ask(test, stream, { type: Command.blockStatus, cookie: 1n, length: 16 << 20 });
    expect(replies.length).toBe(2);
    for (const reply of replies) expect(reply.data.length).toBeLessThan(32 << 10);
  });

  it('says where a read met lost blocks', () => {
    const test = new TestServer();
    test.device.state = (offsetBytes) => {
      const lost = offsetBytes >= 6144;
      return { state: lost ? RunState.lost : 0, lengthBytes: lost ? 512 : 6144 - offsetBytes };
    };
    test.device.failure = (operation) => (operation === 'read' ? ERRNO.EIO : 0);
    const stream = test.connectAndGo(true);
    const [reply] = ask(test, stream, { type: Command.read, cookie: 1n, offset: 4096n, length: 4096 });
    expect(reply?.chunk).toBe(Chunk.errorOffset);
    expect(reply?.data.readBigUInt64BE(reply.data.length - 8)).toBe(6144n);
    leave(test, stream);
  });

  it('tells every connection of a failed flush, once, because a client may flush on another than it wrote on', () => {
    const test = new TestServer();
    const [writer, other, flusher] = [1, 2, 3].map(() => test.connectAndGo(false));
    const write: TestRequest = { type: Command.write, cookie: 1n, payload: pattern(512, 1) };
    const flush: TestRequest = { type: Command.flush, cookie: 2n };
    const error = (stream: MemoryStream, request: TestRequest) => ask(test, stream, request)[0]?.error;
    expect([error(writer!, write), error(other!, write)]).toEqual([0, 0]);
    test.device.failure = (operation) => (operation === 'flush' ? ERRNO.EIO : 0);
    expect(error(other!, flush)).toBe(ERRNO.EIO);
    test.device.failure = () => 0;
    expect([error(writer!, flush), error(flusher!, flush), error(other!, flush)]).toEqual([
      ERRNO.EIO,
      ERRNO.EIO,
      0,
    ]);
    expect([error(writer!, flush), error(flusher!, write), error(flusher!, flush)]).toEqual([0, 0, 0]);
  });

  it('takes a flush that never began, because its client left, for no flush of what was lost before', () => {
    const test = new TestServer();
    const { device, loop } = test;
    const stream = test.connectAndGo(false);
    const flush = { type: Command.flush, cookie: 2n };
    const errors = (...requests: TestRequest[]) => ask(test, stream, ...requests).map(({ error }) => error);
    expect(errors({ type: Command.write, cookie: 1n, payload: pattern(512, 1) })).toEqual([0]);
    device.failure = (operation) => (operation === 'flush' ? ERRNO.EIO : 0);
    expect(errors(flush, { ...flush, cookie: 3n })).toEqual([ERRNO.EIO, ERRNO.EIO]);
    device.failure = () => 0;
    const lazy = test.connectAndGo(false);
    lazy.reading = false;
    const taken = Array.from({ length: device.slotCount }, () => device.acquire({ completed: () => {} }));
    ask(test, lazy, { type: Command.cache, cookie: 1n, length: 512 }, flush);
    loop.advance(STALL_MS + 2 * TICK_MS);
    expect(lazy.isClosed).toBe(true);
    for (const slot of taken) device.release(slot);
    device.flushFailureCount += 1;
    expect(errors(flush)).toEqual([ERRNO.EIO]);
    leave(test, stream);
  });

  it('takes no more than 256 requests at a time and all of them in the end', () => {
    const test = new TestServer();
    const stream = test.connectAndGo(false);
    stream.reading = false;
    const requests = Array.from({ length: 1000 }, (_, i) => ({
      type: Command.read,
      cookie: BigInt(i),
      length: 512,
    }));
    expect(ask(test, stream, ...requests)).toEqual([]);
    expect(test.server.usage.requests).toBe(256);
    stream.resumeReading();
    test.loop.settle();
    expect(takeReplies(stream, requests).length).toBe(1000);
    leave(test, stream);
  });

  it('holds a bounded amount of read data for one client', () => {
    const test = new TestServer({ memoryBytes: 64 << 20 });
    const stream = test.connectAndGo(false);
    stream.reading = false;
    const requests = Array.from({ length: 100 }, (_, i) => ({
      type: Command.read,
      cookie: BigInt(i),
      length: 1 << 20,
    }));
    ask(test, stream, ...requests);
    expect(test.server.usage.requests).toBeLessThanOrEqual(17);
    stream.resumeReading();
    test.loop.settle();
    expect(takeReplies(stream, requests).length).toBe(100);
    leave(test, stream);
  });

  it('closes a client that takes no replies for a minute, and not one that is idle', () => {
    const test = new TestServer();
    const idle = test.connectAndGo(false);
    const stalled = test.connectAndGo(false);
    stalled.reading = false;
    stalled.feed(requestBytes({ type: Command.read, cookie: 1n, length: 512 }));
    test.loop.advance(STALL_MS - 1);
    expect(stalled.isClosed).toBe(false);
    test.loop.advance(2 * TICK_MS);
    expect(stalled.isClosed).toBe(true);
    expect(idle.isClosed).toBe(false);
    leave(test, idle);
  });

  it('closes a client that stops in the middle of a write', () => {
    const test = new TestServer();
    const stream = test.connectAndGo(false);
    stream.feed(requestBytes({ type: Command.write, cookie: 1n, length: 512 << 10 }));
    test.loop.advance(STALL_MS + 2 * TICK_MS);
    expect(stream.isClosed).toBe(true);
    expect(test.isIdle).toBe(true);
  });

  it('closes a client that does not finish its handshake in time', () => {
    const test = new TestServer();
    const stream = test.connect();
    test.loop.advance(HANDSHAKE_MS + 1);
    expect(stream.isClosed).toBe(true);
    expect(test.isIdle).toBe(true);
  });

  it('refuses one connection too many and takes the next when one leaves', () => {
    const test = new TestServer({ memoryBytes: 64 << 20 });
    const streams = Array.from({ length: MAX_CONNECTIONS }, () => test.connect());
    expect(test.connect().isClosed).toBe(true);
    streams[7]!.end();
    test.loop.settle();
    const replacement = test.connect();
    expect(replacement.isClosed).toBe(false);
    expect(replacement.takeSent().length).toBe(18);
  });

  it('sends the replies of one turn in one batch', () => {
    const test = new TestServer({ chooseIndex: (count) => count - 1 });
    const stream = test.connectAndGo(false);
    const sendsBefore = test.server.statistics.sends;
    const requests = Array.from({ length: 32 }, (_, i) => ({
      type: Command.read,
      cookie: BigInt(i),
      length: 512,
    }));
    stream.feed(Buffer.concat(requests.map(requestBytes)));
    test.loop.settle();
    expect(takeReplies(stream, requests).length).toBe(32);
    expect(test.server.statistics.sends - sendsBefore).toBeLessThanOrEqual(2);
  });

  it('serves many connections with few slots and little memory', () => {
    const test = new TestServer({ memoryBytes: 4 << 20, slotCount: 3 });
    const streams = Array.from({ length: 8 }, () => test.connectAndGo(false));
    const requests = Array.from({ length: 20 }, (_, i) => ({
      type: i % 2 === 0 ? Command.read : Command.write,
      cookie: BigInt(i),
      length: 256 << 10,
      ...(i % 2 === 0 ? {} : { payload: pattern(256 << 10, i) }),
    }));
    for (const stream of streams) for (const request of requests) stream.feed(requestBytes(request));
    test.loop.settle();
    for (const stream of streams) expect(takeReplies(stream, requests).length).toBe(20);
    for (const stream of streams) stream.end();
    test.loop.settle();
    expect(test.isIdle).toBe(true);
  });

  it('says ESHUTDOWN to what comes after the stop, finishes the rest and gives all memory back', () => {
    const test = new TestServer();
    const stream = test.connectAndGo(false);
    const haggling = test.connect();
    test.device.holding = true;
    const requests: TestRequest[] = [{ type: Command.read, cookie: 1n, length: 512 }];
    ask(test, stream, ...requests);
    let stops = 0;
    test.server.stop(() => {
      stops += 1;
    });
    stream.feed(requestBytes({ type: Command.read, cookie: 2n, length: 512 }));
    test.loop.settle();
    expect([haggling.isClosed, stream.isClosed, stops]).toEqual([true, false, 0]);
    test.device.resume();
    test.loop.settle();
    const replies = takeReplies(stream, requests).map((reply) => [reply.cookie, reply.error]);
    expect(replies).toContainEqual([1n, 0]);
    expect(replies).toContainEqual([2n, ERRNO.ESHUTDOWN]);
    expect([stream.isClosed, stops, test.pool.count]).toEqual([true, 1, 0]);
    expect(test.connect().isClosed).toBe(true);
  });

  it('does not wait long for a client that takes no replies when it stops', () => {
    const test = new TestServer();
    const stream = test.connectAndGo(false);
    stream.reading = false;
    ask(test, stream, { type: Command.read, cookie: 1n, length: 512 });
    let stops = 0;
    test.server.stop(() => {
      stops += 1;
    });
    test.loop.advance(STOP_GRACE_MS + 1);
    expect([stops, test.pool.count]).toEqual([1, 0]);
  });

  it('stops at once when nobody is connected', () => {
    const test = new TestServer();
    let stops = 0;
    test.server.stop(() => {
      stops += 1;
    });
    expect(stops).toBe(0);
    test.loop.settle();
    expect(stops).toBe(1);
  });
});

/** A status payload as numbers. */
function numbers(data: Buffer): number[] {
  return Array.from({ length: data.length / 4 }, (_, i) => data.readUInt32BE(i * 4));
}
