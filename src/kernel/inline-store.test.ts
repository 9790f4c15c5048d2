import { afterEach, describe, expect, it } from 'vitest';
import { blockStoreConformance } from '../../test/conformance/block-store.js';
import { type StoreUnderTest, TICKET_COUNT_MIN } from '../../test/conformance/store-under-test.js';
import { makeFileStore } from '../../test/support/file-store.js';
import { runEventLoopUntil } from '../../test/support/run-until.js';
import { MEMORY_DIRECTORY } from '../../test/support/temporary-file.js';
import { openTestReactor, runReactorUntil, whyNoUring } from '../../test/support/uring-test-loop.js';
import { InlineStore } from './inline-store.js';
import { NodeReactor } from './node-reactor.js';
import type { Poller, Reactor } from './reactor-interface.js';

for (const [where, directory] of [
  ['in memory', MEMORY_DIRECTORY],
  ['on disk', undefined],
] as const) {
  blockStoreConformance(`InlineStore ${where} under a NodeReactor`, () =>
    makeFileStore({ directory, logicalBlockBytes: 512 }, (device, memory) => {
      const reactor = new NodeReactor();
      return {
        store: new InlineStore(device, memory, reactor, TICKET_COUNT_MIN),
        runUntil: runEventLoopUntil,
        stopLoop: () => reactor.close(),
      };
    }),
  );
}

const obstacle = whyNoUring();

if (obstacle !== '') {
  describe('InlineStore under a UringReactor', () => it.skip(`needs io_uring: ${obstacle}`, () => {}));
} else {
  blockStoreConformance('InlineStore in memory under a UringReactor', () =>
    makeFileStore({ directory: MEMORY_DIRECTORY, logicalBlockBytes: 4096 }, (device, memory) => {
      const reactor = openTestReactor();
      return {
        store: new InlineStore(device, memory, reactor, TICKET_COUNT_MIN),
        runUntil: (done) => runReactorUntil(reactor, done),
        stopLoop: () => reactor.close(),
      };
    }),
  );
}

describe('InlineStore between polls', () => {
  let opened: StoreUnderTest | null = null;
  let poller: Poller | null = null;
  let kickCount = 0;

  afterEach(async () => {
    await opened?.dispose();
    opened = null;
  });

  const reactor: Reactor = {
    addPoller: (added) => {
      poller = added;
    },
    removePoller: () => {
      poller = null;
    },
    kick: () => {
      kickCount += 1;
    },
    nowMs: () => 0,
    wallClockSeconds: () => 0,
    after: () => {},
  };

  function openStore(ticketCount: number): StoreUnderTest {
    kickCount = 0;
    opened = makeFileStore({ directory: MEMORY_DIRECTORY, logicalBlockBytes: 512 }, (device, memory) => ({
      store: new InlineStore(device, memory, reactor, ticketCount),
      runUntil: async () => {},
    }));
    return opened;
  }

  it('kicks the reactor for the first completion only and reports all in order', () => {
    const { store } = openStore(3);
    const tickets: number[] = [];
    store.attach({ complete: (ticket) => tickets.push(ticket) });
    for (const ticket of [2, 0, 1]) store.read(ticket, 0, 512, 0);
    expect(kickCount).toBe(1);
    expect(tickets).toEqual([]);
    expect(poller!.poll()).toBe(false);
    expect(tickets).toEqual([2, 0, 1]);
  });

  it('leaves what is submitted inside a completion to the next poll', () => {
    const { store } = openStore(2);
    const tickets: number[] = [];
    store.attach({
      complete: (ticket) => {
        tickets.push(ticket);
        if (tickets.length <= 4) store.read(ticket, 0, 512, 0);
      },
    });
    store.read(0, 0, 512, 0);
    store.read(1, 0, 512, 0);
    expect(poller!.poll()).toBe(true);
    expect(tickets).toEqual([0, 1]);
    expect(poller!.poll()).toBe(true);
    expect(poller!.poll()).toBe(false);
    expect(tickets).toEqual([0, 1, 0, 1, 0, 1]);
  });

  it('asserts a ticket that is used again before its completion', () => {
    const { store } = openStore(2);
    store.attach({ complete: () => {} });
    store.read(1, 0, 512, 0);
    expect(() => store.read(1, 0, 512, 0)).toThrow(/in use/);
    poller!.poll();
    store.read(1, 0, 512, 0);
    poller!.poll();
  });
});
