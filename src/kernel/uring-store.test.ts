import { describe, it } from 'vitest';
import { blockStoreConformance } from '../../test/conformance/block-store.js';
import { TICKET_COUNT_MIN } from '../../test/conformance/store-under-test.js';
import { makeFileStore } from '../../test/support/file-store.js';
import { MEMORY_DIRECTORY } from '../../test/support/temporary-file.js';
import { openTestReactor, runReactorUntil, whyNoUring } from '../../test/support/uring-test-loop.js';
import { UringStore } from './uring-store.js';

const obstacle = whyNoUring();

if (obstacle !== '') {
  describe('UringStore', () => it.skip(`needs io_uring: ${obstacle}`, () => {}));
} else {
  for (const [where, directory] of [
    ['on disk', undefined],
    ['in memory', MEMORY_DIRECTORY],
  ] as const) {
    for (const logicalBlockBytes of [512, 4096]) {
      blockStoreConformance(`UringStore ${where}, ${logicalBlockBytes} byte blocks`, () =>
        makeFileStore({ directory, logicalBlockBytes }, (device, memory) => {
          const reactor = openTestReactor();
          return {
            store: new UringStore(device, memory, reactor.ring, TICKET_COUNT_MIN),
            runUntil: (done) => runReactorUntil(reactor, done),
            stopLoop: () => reactor.close(),
          };
        }),
      );
    }
  }
}
