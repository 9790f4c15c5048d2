import { BlockFlag } from './disk-faults.js';
import type { Machine } from './machine.js';
import { copyAt } from './metadata-reader.js';
import type { SimDisk } from './sim-disk.js';

/**
 * The process is about to die while it writes metadata: one copy, not a safe one, gets the new version whole, and the
 * others get nothing that they don't have. What the one copy has can't be read until the next crash, so it must not
 * count when it can (rules R2 and R3). Answers what to do when the process is dead; undefined where nothing is written.
 */
export function hideWrite(machine: Machine): (() => void) | undefined {
  const { layout, scenario, safeCopies } = machine;
  const writes = machine.disks.flatMap((disk) => disk.metadataWrites.map((io) => ({ disk, io })));
  const chosen = writes.find(
    ({ disk, io }) => !disk.isGone && !safeCopies.includes(copyAt(layout!, disk.target - 1, io.offsetBytes)),
  );
  if (chosen === undefined) return undefined;
  for (const { disk, io } of writes) disk.decide(io, io === chosen.io);
  const { disk, io } = chosen;
  const block = io.offsetBytes / scenario.blockBytes;
  const count = io.lengthBytes / scenario.blockBytes;
  return () => {
    machine.hidden = [{ disk, block, count }];
    setFlags(machine.hidden, BlockFlag.unreadable | BlockFlag.unwritable);
  };
}

export function showHidden(machine: Machine): void {
  setFlags(machine.hidden, 0);
  machine.hidden = [];
}

export interface HiddenBlocks {
  readonly disk: SimDisk;
  readonly block: number;
  readonly count: number;
}

function setFlags(hidden: readonly HiddenBlocks[], flags: number): void {
  for (const { disk, block, count } of hidden) {
    for (let each = block; each < block + count; each += 1) disk.faults.set(each, flags);
  }
}
