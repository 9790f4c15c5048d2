import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Command, Option } from './protocol.js';
import {
  contextData,
  infoData,
  optionBytes,
  parseReplies,
  requestBytes,
  type TestRequest,
  u32,
} from './testing/test-client.js';
import { TestServer } from './testing/test-server.js';

/** A small generator of our own: one number drives order, cuts and mutations of a run. */
function chooser(seed: number): (count: number) => number {
  let state = seed >>> 0;
  return (count) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * count);
  };
}

const REGION_BYTES = 128 << 10;
const REGIONS = 8;

/** What to do in one region; no two requests of a round meet in one region, so the outcome is certain. */
const anyAction = fc.record({
  type: fc.constantFrom(Command.read, Command.write, Command.trim, Command.writeZeroes, Command.cache),
  firstBlock: fc.nat(REGION_BYTES / 512 - 1),
  blockCount: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: REGION_BYTES / 512 })),
  fua: fc.boolean(),
  fill: fc.nat(255),
});
const anyRound = fc.array(anyAction, { minLength: 1, maxLength: REGIONS });

interface Action {
  readonly type: number;
  readonly firstBlock: number;
  readonly blockCount: number;
  readonly fua: boolean;
  readonly fill: number;
}

function toRequest(action: Action, region: number): TestRequest {
  const start = action.firstBlock * 512;
  const length = Math.min(action.blockCount * 512, REGION_BYTES - start);
  const payload = Uint8Array.from({ length }, (_, i) => (i + (i >> 8) + action.fill) & 0xff);
  return {
    type: action.type,
    flags: action.fua ? 1 : 0,
    cookie: BigInt(region),
    offset: BigInt(region * REGION_BYTES + start),
    length,
    ...(action.type === Command.write ? { payload } : {}),
  };
}

describe('the NBD server against random clients', () => {
  it('gives the right replies whatever the cuts, the alignment and the order of completions', () => {
    fc.assert(
      fc.property(
        fc.array(anyRound, { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        fc.constantFrom(1, 4, 512),
        fc.integer(),
        (rounds, structured, memoryAlignmentBytes, seed) => {
          const choose = chooser(seed);
          const test = new TestServer({
            geometry: { sizeBytes: REGIONS * REGION_BYTES, memoryAlignmentBytes },
            memoryBytes: 4 << 20,
            slotCount: 1 + choose(6),
            chooseIndex: choose,
          });
          const model = new Uint8Array(REGIONS * REGION_BYTES);
          const stream = test.connectAndGo(structured);
          const limits = [64, 5000, 200_000];
          stream.receiveLimit = () => 1 + choose(limits[choose(limits.length)]!);
          for (const round of rounds) {
            const requests = round.map(toRequest);
            stream.feed(Buffer.concat(requests.map(requestBytes)));
            test.loop.settle();
            const replies = parseReplies(stream.takeSent(), (cookie) => {
              const request = requests[Number(cookie)]!;
              return request.type === Command.read ? request.length! : 0;
            });
            expect(replies.length).toBe(requests.length);
            for (const reply of replies) {
              const request = requests[Number(reply.cookie)]!;
              expect(reply.error).toBe(0);
              const start = Number(request.offset);
              if (request.type === Command.read) {
                const data = reply.structured ? reply.data.subarray(8) : reply.data;
                expect(Buffer.compare(data, model.subarray(start, start + request.length!))).toBe(0);
              } else if (request.payload) model.set(request.payload, start);
              else if (request.type !== Command.cache) model.fill(0, start, start + request.length!);
            }
          }
          expect(Buffer.compare(test.device.data, model)).toBe(0);
          stream.end();
          test.loop.settle();
          expect(test.isIdle).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('survives mutated sessions without throwing or keeping anything', () => {
    fc.assert(
      fc.property(fc.integer(), fc.boolean(), (seed, structured) => {
        const choose = chooser(seed);
        const test = new TestServer({ memoryBytes: 4 << 20, slotCount: 4, chooseIndex: choose });
        const stream = test.connect();
        stream.receiveLimit = () => 1 + choose(3000);
        const session = mutate(validSession(choose, structured), choose);
        for (let at = 0; at < session.length; ) {
          const length = 1 + choose(4000);
          stream.feed(session.subarray(at, at + length));
          if (choose(3) === 0) test.loop.settle();
          at += length;
        }
        if (choose(4) === 0) stream.reading = false;
        test.loop.settle();
        if (choose(2) === 0) stream.end();
        test.loop.advance(100_000);
        stream.end();
        test.loop.advance(100_000);
        expect(test.isIdle).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  it('survives random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), fc.boolean(), (bytes, transmission) => {
        const test = new TestServer({ memoryBytes: 4 << 20 });
        const stream = transmission ? test.connectAndGo(true) : test.connect();
        stream.feed(bytes);
        test.loop.settle();
        stream.end();
        test.loop.settle();
        expect(test.isIdle).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

function validSession(choose: (count: number) => number, structured: boolean): Uint8Array {
  const parts = [u32(3), optionBytes(Option.list)];
  if (structured) {
    parts.push(optionBytes(Option.structuredReply));
    parts.push(
      optionBytes(Option.setMetaContext, contextData('disk', 'base:allocation', 'x-dm-remap:state')),
    );
  }
  parts.push(optionBytes(Option.go, infoData('disk', 3)));
  for (let i = 0; i < 30; i += 1) {
    const type = choose(9);
    const length = choose(64) * 512;
    const offset = BigInt(choose(2048) * 512);
    const request: TestRequest = {
      type,
      flags: choose(8) === 0 ? choose(32) : 0,
      cookie: BigInt(i),
      offset,
      length,
    };
    parts.push(
      requestBytes(type === Command.write ? { ...request, payload: new Uint8Array(length) } : request),
    );
  }
  return Buffer.concat(parts);
}

function mutate(session: Uint8Array, choose: (count: number) => number): Uint8Array {
  const bytes = Uint8Array.from(session);
  for (let left = choose(6); left > 0; left -= 1) bytes[choose(bytes.length)] = choose(256);
  return bytes.subarray(0, choose(2) === 0 ? bytes.length : choose(bytes.length));
}
