import { check } from '../check-failure.js';
import type { Machine } from '../machine.js';
import { findDisagreement, hasFaultyMetadata } from './copies-agree.js';

/**
 * A scrub with nothing else under way and all devices back: afterwards all copies agree, what was wrong was reported, and
 * another one finds nothing. `run` lets one come to its end and answers the number of blocks that it reports.
 */
export function checkScrub(machine: Machine, run: () => number): void {
  const before = findDisagreement(machine);
  const repairedBlocks = run();
  const after = findDisagreement(machine);
  check(after === undefined, 'scrub', `after a scrub: ${after}`);
  check(before === undefined || repairedBlocks > 0, 'scrub', `${before}, and a scrub reports nothing`);
  if (hasFaultyMetadata(machine)) return;
  const again = run();
  check(again === 0, 'scrub', `a scrub reports ${again} blocks right after another one`);
}
