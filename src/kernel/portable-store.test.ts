import { blockStoreConformance } from '../../test/conformance/block-store.js';
import { TICKET_COUNT_MIN } from '../../test/conformance/store-under-test.js';
import { makeFileStore } from '../../test/support/file-store.js';
import { runEventLoopUntil } from '../../test/support/run-until.js';
import { MEMORY_DIRECTORY } from '../../test/support/temporary-file.js';
import { PortableStore } from './portable-store.js';

for (const [where, directory] of [
  ['on disk', undefined],
  ['in memory', MEMORY_DIRECTORY],
] as const) {
  for (const logicalBlockBytes of [512, 4096]) {
    blockStoreConformance(`PortableStore ${where}, ${logicalBlockBytes} byte blocks`, () =>
      makeFileStore({ directory, logicalBlockBytes }, (device, memory) => ({
        store: new PortableStore(device, memory, TICKET_COUNT_MIN),
        runUntil: runEventLoopUntil,
      })),
    );
  }
}
