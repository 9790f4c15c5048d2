import { assert } from '../base/assert.js';
import { alignUp } from '../base/units.js';
import type { IoMemory } from '../ports/io-memory.js';
import { getpagesize, mmap, munmap, viewMemory } from './ffi.js';

export interface MappedMemory extends IoMemory {
  /**
   * Gives the pages back. Only when no I/O uses them any more; afterwards every access through `bytes` or `view`,
   * or any array made from their buffer, is a segmentation fault.
   */
  unmap(): void;
}

/**
 * Page-aligned, zeroed memory outside the garbage collector's reach, which the kernel may fill at any time. Pages
 * take real memory only once they are touched. Failure is out of memory, hence a bug of sizing: asserted.
 */
export function mapMemory(sizeBytes: number): MappedMemory {
  assert(Number.isSafeInteger(sizeBytes) && sizeBytes > 0, `not a memory size: ${sizeBytes}`);
  const mappedBytes = alignUp(sizeBytes, getpagesize());
  const address = mmap(mappedBytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
  assert(address > 0, `mmap of ${mappedBytes} bytes failed: errno ${-address}`);
  const buffer = viewMemory(address, sizeBytes);
  return {
    bytes: new Uint8Array(buffer),
    view: new DataView(buffer),
    address,
    unmap() {
      const result = munmap(address, mappedBytes);
      assert(result === 0, `munmap failed: errno ${-result}`);
    },
  };
}

/** What another thread of the process has mapped, which must stay so as long as anything looks at it. */
export function viewMappedMemory(address: number, sizeBytes: number): IoMemory {
  const buffer = viewMemory(address, sizeBytes);
  return { bytes: new Uint8Array(buffer), view: new DataView(buffer), address };
}

const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;
