import type { RequestStep, Step } from './history.js';
import type { Random } from './random.js';
import type { Scenario } from './scenario.js';

/**
 * Something has just gone bad: requests crowd there while the unit is being moved, and perhaps the process ends in the
 * middle of it. Their places are relative to the aim (`aim.ts`).
 */
export function drawBurst(random: Random, scenario: Scenario): Step[] {
  const steps: Step[] = [];
  let operations: readonly RequestStep['operation'][] = OPERATIONS;
  const { trouble, spareBytes } = scenario;
  if (trouble.failingFlushes > 0 && random.chance(1, 4)) {
    const target = 1 + random.below(spareBytes.length);
    steps.push({ kind: 'flushFails', target, keepTimes: random.pick([0, 0, 4]) });
    operations = WITH_FLUSHES;
  }
  const count = 2 + random.below(12);
  for (let index = 0; index < count; index += 1) steps.push(aimedRequest(random, scenario, operations));
  if (random.chance(1, 2)) steps.push(...drawCrash(random));
  return steps;
}

/** Mostly while what has gone bad is being noted. */
function drawCrash(random: Random): Step[] {
  const fromMetadataWrite = random.chance(3, 4);
  const events = random.below(fromMetadataWrite ? 10 : 40);
  const how = random.pick(['kill', 'powerCut', 'powerCut'] as const);
  const crash = { kind: 'crash', how, intruder: 'none', hides: false, interruptions: [] } as const;
  const first: Step[] = [{ kind: 'run', events, fromMetadataWrite }];
  if (!fromMetadataWrite || random.chance(2, 3)) return [...first, crash];
  return [...first, { ...crash, hides: true }, { kind: 'rest' }, { ...crash, how: 'kill' }];
}

/** A block or some, within a unit of the aim. */
function aimedRequest(
  random: Random,
  scenario: Scenario,
  operations: readonly RequestStep['operation'][],
): RequestStep {
  const operation = random.pick(operations);
  const reach = scenario.unitBytes / scenario.blockBytes;
  const count = 1 + random.below(Math.min(2 * reach, scenario.maxRequestBlocks));
  return {
    kind: 'request',
    operation,
    queue: random.below(12),
    isAimed: true,
    first: random.below(2 * reach + 1) - reach - (count >> 1),
    count,
    durable: random.chance(1, 4),
    flags: random.pick([0, 0, 2]),
    events: random.pick([0, 0, 0, 1, 3, 10]),
  };
}

const OPERATIONS = ['write', 'write', 'write', 'write', 'write', 'write', 'read', 'flush', 'zero'] as const;
const WITH_FLUSHES = ['write', 'write', 'flush'] as const;
