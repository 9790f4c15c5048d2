import { BlockFlag } from '../disk-faults.js';
import type { Machine } from '../machine.js';
import type { SimDisk } from '../sim-disk.js';

/** The spares as a process would read them now: with the lies that they tell, and nothing where they can't be read. */
export function spareBytesAsRead(machine: Machine): readonly Uint8Array[] {
  return machine.spares.map((disk) => asRead(disk, machine.scenario.blockBytes));
}

function asRead(disk: SimDisk, blockBytes: number): Uint8Array {
  const { contents, lies, faults } = disk;
  if (lies.size === 0 && faults.flaggedCount === 0) return contents;
  const bytes = contents.slice();
  for (const [offsetBytes, page] of lies) bytes.set(page, offsetBytes);
  for (let block = 0; block < bytes.length / blockBytes; block += 1) {
    if (faults.has(block, BlockFlag.unreadable))
      bytes.fill(0xee, block * blockBytes, (block + 1) * blockBytes);
  }
  return bytes;
}
