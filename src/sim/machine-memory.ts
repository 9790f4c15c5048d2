import { layOutColdMemory } from '../device/memory-map.js';
import { plainMemory } from '../ports/io-memory.js';

/** I/O memory and the bytes of disks are many megabytes; every run of a process uses the same ones. */
export const coldMemory = layOutColdMemory();
/** Of what looks at a set while the process is at work, in memory of its own. */
export const inspectOffset = coldMemory.endOffset + (16 << 20);
export const ioMemory = plainMemory(inspectOffset + (8 << 20));
/** Where the clients' buffers start. */
export const payloadOffset = coldMemory.endOffset;

const buffers: { readonly contents: Uint8Array; readonly stable: Uint8Array }[] = [];

/** Bytes for the disk `index` of a run: zero to begin with. */
export function diskBytes(index: number, sizeBytes: number): { contents: Uint8Array; stable: Uint8Array } {
  while (buffers.length <= index)
    buffers.push({ contents: new Uint8Array(MAX_DISK_BYTES), stable: new Uint8Array(MAX_DISK_BYTES) });
  const { contents, stable } = buffers[index]!;
  contents.fill(0, 0, sizeBytes);
  return { contents: contents.subarray(0, sizeBytes), stable: stable.subarray(0, sizeBytes) };
}

const MAX_DISK_BYTES = 4 << 20;
