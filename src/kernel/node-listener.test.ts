import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { assert } from '../base/assert.js';
import { plainMemory } from '../ports/io-memory.js';
import { adoptNode, listenNode } from './node-listener.js';
import { socketPair } from './socket-pair.js';
import { listenerConformance } from './testing/listener-conformance.js';
import { RecordingSink } from './testing/recording-sink.js';

listenerConformance('listenNode', () => {
  const memory = plainMemory(4096);
  return {
    listen: (address, events) => listenNode(memory, address, events),
    turn: () => sleep(1),
    close() {},
  };
});

test('a host name that means nothing is refused', async () => {
  const events = { onConnection() {}, onProblem() {} };
  const listened = await listenNode(plainMemory(16), { kind: 'tcp', host: 'no such host', port: 0 }, events);
  assert(!listened.ok, 'listens');
  expect(listened.error.kind).toBe('notAnAddress');
});

test('an end of a socket pair is adopted', async () => {
  const pair = socketPair();
  assert(pair.ok, 'no pair');
  const memory = plainMemory(16);
  const sinks = pair.value.map((fd) => new RecordingSink(adoptNode(fd, memory)));
  for (const sink of sinks) sink.close();
  while (sinks.some((sink) => sink.closedCount === 0)) await sleep(1);
});
