import koffi from 'koffi';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { assert } from '../base/assert.js';
import { mapMemory } from './aligned-memory.js';
import { UringReactor } from './reactor.js';
import { type ListenerHarness, ListenerScene, listenerConformance } from './testing/listener-conformance.js';
import { describeUring } from './testing/uring-available.js';
import { listenUring } from './uring-listener.js';
import { UringStreams } from './uring-streams.js';

describeUring('UringListener', () => {
  listenerConformance('UringListener', () => makeHarness(64));
});

describeUring('UringListener out of', () => {
  let scene: ListenerScene;
  beforeEach(() => {
    scene = new ListenerScene(makeHarness(2));
  });
  afterEach(() => scene.end());

  test('places for streams refuses the connection, says so, and serves the next when one has gone', async () => {
    await scene.listen(scene.unixAddress());
    for (let index = 0; index < 3; index += 1) scene.connect(scene.unixAddress());
    await scene.settle(() => scene.problems.length > 0);
    expect(scene.problems).toEqual([`${scene.path}: refused a connection (ENOBUFS)`]);
    expect(scene.sinks.length).toBe(2);
    scene.sinks[0]!.close();
    await scene.settle(() => scene.sinks[0]!.closedCount === 1);
    await scene.expectEcho(scene.unixAddress());
  });

  test('descriptors says so and takes the connection when there are some again', async () => {
    await scene.listen(scene.unixAddress());
    scene.connect(scene.unixAddress());
    const limit = setDescriptorLimit(0);
    await scene.settle(() => scene.problems.length > 0).finally(() => setDescriptorLimit(limit));
    expect(scene.problems[0]).toMatch(/cannot accept connections \(EMFILE\), trying again in 100 ms/);
    expect(scene.sinks.length).toBe(0);
    await scene.settle(() => scene.sinks.length === 1);
    expect(scene.sinks.length).toBe(1);
    await scene.expectEcho(scene.unixAddress());
  });
});

function makeHarness(streamCountMax: number): ListenerHarness {
  const opened = UringReactor.open(64);
  assert(opened.ok, 'no ring');
  const reactor = opened.value;
  const memory = mapMemory(4096);
  const streams = new UringStreams(reactor, memory, streamCountMax);
  return {
    listen: async (address, events) => listenUring(reactor, streams, address, events),
    turn: async () => {
      reactor.turn(1);
      await new Promise((resolve) => setImmediate(resolve));
    },
    close() {
      streams.close();
      reactor.close();
      memory.unmap();
    },
  };
}

const prlimit: (
  pid: number,
  resource: number,
  newLimit: BigUint64Array | null,
  oldLimit: BigUint64Array,
) => number = koffi.load(null).func('prlimit', 'int', ['int', 'int', 'void *', 'void *']);
const RLIMIT_NOFILE = 7;

/** Sets the soft limit and returns what it was. */
function setDescriptorLimit(soft: bigint | number): bigint {
  const old = new BigUint64Array(2);
  prlimit(0, RLIMIT_NOFILE, null, old);
  prlimit(0, RLIMIT_NOFILE, BigUint64Array.of(BigInt(soft), old[1]!), new BigUint64Array(2));
  return old[0]!;
}
