import { unreachable } from '../base/assert.js';
import type { Aim } from './aim.js';
import { damageMetadata } from './damage-metadata.js';
import { BlockFlag } from './disk-faults.js';
import type { Excuses } from './excuses.js';
import type { FaultStep } from './history.js';
import { impostorFor } from './impostor.js';
import type { Ledger } from './ledger.js';
import type { Machine } from './machine.js';
import { copyAt } from './metadata-reader.js';
import type { OldBytes } from './old-bytes.js';
import type { Outages } from './outages.js';

/** Makes something go wrong, if it is something that can be survived just now (docs/fault-model.md). */
export function injectFault(parts: FaultParts, step: FaultStep): void {
  const { machine, outages } = parts;
  switch (step.kind) {
    case 'bad':
      return goBad(parts, parts.aim.takeBad(step));
    case 'heal':
      return forBlocks(parts, step, (block) => machine.diskAt(step.target)!.faults.set(block, 0));
    case 'passing':
      return forBlocks(parts, { ...step, count: 1 }, (block) =>
        machine.diskAt(step.target)!.faults.failNextTimes(block, step.on, 1, step.errno),
      );
    case 'flushFails': {
      const { faults } = machine.diskAt(step.target)!;
      faults.failingFlushes = 1;
      faults.flushKeepTimes = step.keepTimes;
      return;
    }
    case 'vanish':
      return outages.vanish(step.target, step.isReadable);
    case 'comeBack':
      return outages.comeBack(step.how, step.keepTimes, (target) => impostorFor(parts, step.how, target));
    case 'metadata':
      return damageMetadata(parts, step);
    default:
      return unreachable(step);
  }
}

export interface FaultParts {
  readonly machine: Machine;
  readonly ledger: Ledger;
  readonly outages: Outages;
  readonly old: OldBytes;
  readonly aim: Aim;
  readonly excuses: Excuses;
}

function goBad(parts: FaultParts, step: Extract<FaultStep, { kind: 'bad' }>): void {
  const disk = parts.machine.diskAt(step.target)!;
  const blockCount = disk.geometry.sizeBytes / parts.machine.scenario.blockBytes;
  forBlocks(parts, step, (block) => {
    if (disk.faults.flaggedCount >= blockCount * BAD_SHARE) return;
    const before = disk.faults.flags(block);
    const isNewlyUnreadable = (step.flags & ~before & BlockFlag.unreadable) !== 0;
    if (isNewlyUnreadable) parts.ledger.damaging(disk, block);
    if (step.target > 0 && (step.flags & BlockFlag.unwritable) !== 0) parts.ledger.unwritableOnSpares += 1;
    if (!disk.isBystander) parts.ledger.badBlockCount += 1;
    disk.faults.set(block, step.flags);
  });
}

/** Those of the disk, without the copy of the metadata on each spare that has to survive. */
function forBlocks(
  { machine }: FaultParts,
  { target, block, count }: { readonly target: number; readonly block: number; readonly count: number },
  change: (block: number) => void,
): void {
  const { safeCopies } = machine;
  const { blockBytes } = machine.scenario;
  const blockCount = machine.diskAt(target)!.geometry.sizeBytes / blockBytes;
  for (let each = block; each < Math.min(block + count, blockCount); each += 1) {
    const isSafe = target > 0 && safeCopies.includes(copyAt(machine.layout!, target - 1, each * blockBytes));
    if (!isSafe) change(each);
  }
}

/** A disk that fails nearly everywhere is given up as a whole, and rightly. */
const BAD_SHARE = 1 / 8;
