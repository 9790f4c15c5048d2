import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { plainMemory } from '../ports/io-memory.js';
import { NodeStream } from './node-stream.js';
import { byteStreamConformance, HARNESS_MEMORY_BYTES } from './testing/byte-stream-conformance.js';

byteStreamConformance('NodeStream', () => {
  const memory = plainMemory(HARNESS_MEMORY_BYTES);
  return {
    memory,
    adopt: (fd) => new NodeStream(new Socket({ fd, allowHalfOpen: true }), memory),
    turn: () => sleep(1),
    close() {},
  };
});
