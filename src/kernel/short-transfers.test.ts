import { describe, it, vi } from 'vitest';
import { blockStoreConformance } from '../../test/conformance/block-store.js';
import { TICKET_COUNT_MIN } from '../../test/conformance/store-under-test.js';
import { makeFileStore } from '../../test/support/file-store.js';
import { runEventLoopUntil } from '../../test/support/run-until.js';
import { MEMORY_DIRECTORY } from '../../test/support/temporary-file.js';
import { openTestReactor, runReactorUntil, whyNoUring } from '../../test/support/uring-test-loop.js';
import { InlineStore } from './inline-store.js';
import type { Ring } from './io-uring.js';
import { NodeReactor } from './node-reactor.js';
import { PortableStore } from './portable-store.js';
import { OP } from './uring-abi.js';
import { type RingQueue, UringStore } from './uring-store.js';

/**
 * The suite once more over system calls that transfer at most this much, which is no multiple of a block: every
 * store has to go on where the last whole block ended.
 */
const shortBytes = vi.hoisted(() => 3000);

vi.mock('./ffi.js', async (importOriginal) => {
  const ffi = await importOriginal<typeof import('./ffi.js')>();
  return {
    ...ffi,
    pread: (fd: number, address: number, length: number, offset: number) =>
      ffi.pread(fd, address, Math.min(length, shortBytes), offset),
    pwrite: (fd: number, address: number, length: number, offset: number) =>
      ffi.pwrite(fd, address, Math.min(length, shortBytes), offset),
  };
});

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  type Transfer = [fd: number, memory: Uint8Array, memoryOffset: number, length: number, offset: number];
  type Callback = (error: Error | null, doneBytes: number) => void;
  const shortened = ([fd, memory, memoryOffset, length, offset]: Transfer): Transfer => [
    fd,
    memory,
    memoryOffset,
    Math.min(length, shortBytes),
    offset,
  ];
  return {
    ...fs,
    read: (...[a, b, c, d, e, callback]: [...Transfer, Callback]) =>
      fs.read(...shortened([a, b, c, d, e]), callback),
    write: (...[a, b, c, d, e, callback]: [...Transfer, Callback]) =>
      fs.write(...shortened([a, b, c, d, e]), callback),
  };
});

/** A ring that shortens reads and writes on their way in. */
function shorteningQueue(ring: Ring): RingQueue {
  return {
    registerHandler: (handler) => ring.registerHandler(handler),
    releaseHandler: (kind) => ring.releaseHandler(kind),
    submitCommand: (...command) => ring.submitCommand(...command),
    submitFixed: (...entry) => ring.submitFixed(...entry),
    submit: (kind, ticket, opcode, fd, address, length, ...rest) => {
      const isTransfer = opcode === OP.READ || opcode === OP.WRITE;
      const lengthBytes = isTransfer ? Math.min(length, shortBytes) : length;
      ring.submit(kind, ticket, opcode, fd, address, lengthBytes, ...rest);
    },
  };
}

const IN_MEMORY = { directory: MEMORY_DIRECTORY, logicalBlockBytes: 512 };

blockStoreConformance('PortableStore with short transfers', () =>
  makeFileStore(IN_MEMORY, (device, memory) => ({
    store: new PortableStore(device, memory, TICKET_COUNT_MIN),
    runUntil: runEventLoopUntil,
  })),
);

blockStoreConformance('InlineStore with short transfers', () =>
  makeFileStore(IN_MEMORY, (device, memory) => {
    const reactor = new NodeReactor();
    return {
      store: new InlineStore(device, memory, reactor, TICKET_COUNT_MIN),
      runUntil: runEventLoopUntil,
      stopLoop: () => reactor.close(),
    };
  }),
);

const obstacle = whyNoUring();

if (obstacle !== '') {
  describe('UringStore with short transfers', () => it.skip(`needs io_uring: ${obstacle}`, () => {}));
} else {
  blockStoreConformance('UringStore with short transfers', () =>
    makeFileStore(IN_MEMORY, (device, memory) => {
      const reactor = openTestReactor();
      return {
        store: new UringStore(device, memory, shorteningQueue(reactor.ring), TICKET_COUNT_MIN),
        runUntil: (done) => runReactorUntil(reactor, done),
        stopLoop: () => reactor.close(),
      };
    }),
  );
}
