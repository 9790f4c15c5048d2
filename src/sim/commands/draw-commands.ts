import type { FaultStep, Step } from '../history.js';
import type { Random } from '../random.js';
import type { Scenario } from '../scenario.js';
import { type OfflineCommand, type OfflineStep, type ScrubStep, WIPES } from './command-step.js';

/** Puts commands between the steps of a history. `random` is a stream of its own: the steps are the same with commands and without. */
export function drawCommands(random: Random, scenario: Scenario, steps: readonly Step[]): Step[] {
  return steps.flatMap((step): Step[] => {
    const isDamage = step.kind === 'metadata';
    if (random.chance(1, isDamage ? 3 : 40)) return [step, drawScrub(random, isDamage)];
    if (random.chance(1, isDamage ? 6 : 100)) return [step, drawOffline(random, scenario)];
    return [step];
  });
}

function drawScrub(random: Random, isDamaged: boolean): ScrubStep {
  const isAlone = random.chance(isDamaged ? 2 : 1, 3);
  return { kind: 'scrub', isAlone, events: random.pick([0, 2, 10, 40, 200]) };
}

function drawOffline(random: Random, scenario: Scenario): OfflineStep {
  const how = random.pick(['kill', 'powerCut', 'stop'] as const);
  const faults = Array.from({ length: random.pick([0, 0, 1, 3]) }, () => drawFault(random, scenario, how));
  const commands = Array.from({ length: random.pick([1, 1, 2]) }, () => drawCommand(random));
  return { kind: 'offline', how, faults, commands };
}

function drawCommand(random: Random): OfflineCommand {
  const command = random.pick(['repair', 'repair', 'restore', 'restoreEdited', random.pick(WIPES)] as const);
  if (random.chance(1, 2)) return { command };
  const events = 1 + random.below(random.pick([10, 60, 300]));
  return { command, interruption: { how: random.pick(['kill', 'powerCut', 'powerCut'] as const), events } };
}

function drawFault(random: Random, scenario: Scenario, how: OfflineStep['how']): FaultStep {
  const target = 1 + random.below(scenario.spareBytes.length);
  const roll = random.below(8);
  // With unflushed data in the cache a client would have to be told, and there is none (docs/fault-model.md).
  if (roll === 0 && how === 'powerCut')
    return { kind: 'flushFails', target, keepTimes: random.pick([0, 4, 8]) };
  if (roll < 3) {
    const block = random.below(scenario.spareBytes[target - 1]! / scenario.blockBytes);
    const on = random.pick(['read', 'write'] as const);
    return { kind: 'passing', target, block, on, errno: random.pick(PASSING_ERRNOS) };
  }
  const copy = random.below(scenario.copyCount);
  return {
    kind: 'metadata',
    copy,
    page: random.below(4) - 1,
    what: random.pick(DAMAGES),
    at: random.below(8192),
  };
}

/** EIO, ENODATA, ETIMEDOUT. */
const PASSING_ERRNOS = [5, 61, 110];
const DAMAGES = ['flip', 'zero', 'stale', 'swap', 'lieFlip', 'lieStale', 'lieSwap'] as const;
