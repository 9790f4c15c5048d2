import { mapMemory } from '../../src/kernel/aligned-memory.js';
import { type OpenDevice, openDevice } from '../../src/kernel/open-device.js';
import { describeOpenFailure } from '../../src/kernel/open-failure.js';
import type { BlockStore } from '../../src/ports/block-store.js';
import type { IoMemory } from '../../src/ports/io-memory.js';
import { MEMORY_BYTES_MIN, STORE_BYTES_MIN, type StoreUnderTest } from '../conformance/store-under-test.js';
import { TemporaryFile } from './temporary-file.js';

export interface FileStoreOptions {
  /** Where the file goes; the temporary directory if left out. */
  readonly directory?: string | undefined;
  readonly logicalBlockBytes: number;
}

/** What a store under test adds to its file: itself, and the loop its completions come from. */
export interface StoreAndLoop {
  readonly store: BlockStore;
  readonly runUntil: (done: () => boolean) => Promise<void>;
  readonly stopLoop?: () => void;
}

/** A store over a fresh file, ready for the conformance suite. */
export function makeFileStore(
  { directory, logicalBlockBytes }: FileStoreOptions,
  make: (device: OpenDevice, memory: IoMemory) => StoreAndLoop,
): StoreUnderTest {
  const file = new TemporaryFile(STORE_BYTES_MIN, directory);
  const device = openTestFile(file.path, logicalBlockBytes);
  const memory = mapMemory(MEMORY_BYTES_MIN);
  const { store, runUntil, stopLoop } = make(device, memory);
  return {
    store,
    memory,
    runUntil,
    truncate: (sizeBytes) => file.truncate(sizeBytes),
    dispose() {
      store.close();
      stopLoop?.();
      memory.unmap();
      file.remove();
    },
  };
}

/** Opened for writing and exclusively; throws where that fails. */
export function openTestFile(path: string, fileLogicalBlockBytes = 512): OpenDevice {
  const device = openDevice(path, { readOnly: false, exclusive: true, fileLogicalBlockBytes });
  if (!device.ok) throw new Error(describeOpenFailure(device.error));
  return device.value;
}
