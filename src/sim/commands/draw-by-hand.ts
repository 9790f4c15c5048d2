import { drawBurst } from '../burst.js';
import { BlockFlag } from '../disk-faults.js';
import type { Step } from '../history.js';
import type { Random } from '../random.js';
import type { Scenario } from '../scenario.js';
import { ANYWHERE, type HandStep, WHERE_RELEASED } from './hand-step.js';

/**
 * Puts units that are moved and released by hand between the steps of a history, mostly with requests that crowd where
 * that happens, and perhaps a crash in its midst. `random` is a stream of its own: the other steps stay as they are.
 */
export function drawByHand(random: Random, scenario: Scenario, steps: readonly Step[]): Step[] {
  return steps.flatMap((step): Step[] => {
    const isNearTrouble = step.kind === 'bad';
    return random.chance(1, isNearTrouble ? 3 : 16) ? [step, ...drawGroup(random, scenario)] : [step];
  });
}

/** One or some commands, then what is to meet with them. */
function drawGroup(random: Random, scenario: Scenario): Step[] {
  if (scenario.trouble.failingFlushes > 0 && random.chance(1, 2)) return drawFlushRace(random, scenario);
  if (scenario.trouble.metadataDamage > 0 && random.chance(1, 3)) return drawSwappedPage(random, scenario);
  const commands = random.pick(ORDERS).map((action) => drawHandStep(random, action));
  if (random.chance(1, 3)) return commands;
  const burst = drawBurst(random, scenario);
  // What hides must not be taken for damage that a command has left; see docs/fault-model.md.
  if (!scenario.hasCommands) return [...commands, ...burst];
  return [...commands, ...burst.map((step) => (step.kind === 'crash' ? { ...step, hides: false } : step))];
}

/**
 * A unit's data, or the map, is being written when a flush fails: that of the move itself, or one of a client, who has
 * just written to another unit on the spare. Then the process ends, in one of three cases cleanly.
 */
function drawFlushRace(random: Random, scenario: Scenario): Step[] {
  const moved = random.below(4096);
  const add = { kind: 'hand', action: 'add', isAimed: false, place: ANYWHERE, mainFlags: 0 } as const;
  const target = 1 + random.below(scenario.spareBytes.length);
  const fails = { kind: 'flushFails', target, keepTimes: random.pick([0, 4, 4]) } as const;
  const request = {
    kind: 'request',
    queue: random.below(12),
    isAimed: true,
    count: 1,
    durable: false,
  } as const;
  // The unit before the one that is being moved.
  const first = -(scenario.unitBytes / scenario.blockBytes);
  const write = { ...request, operation: 'write', first, flags: 0, events: random.pick([1, 2, 4]) } as const;
  const flush = {
    ...request,
    operation: 'flush',
    first: 0,
    flags: 0,
    events: random.pick([4, 10, 40]),
  } as const;
  const how = random.pick(['stop', 'powerCut', 'kill'] as const);
  const isData = random.chance(1, 3);
  return [
    { ...add, unit: moved, events: 200 },
    { ...add, unit: moved + 1, events: 0 },
    { kind: 'run', events: random.below(isData ? 6 : 3), fromMetadataWrite: !isData },
    ...(random.chance(3, 4) ? [write, fails, flush] : [fails]),
    { kind: 'run', events: random.pick([0, 10, 40]), fromMetadataWrite: false },
    { kind: 'crash', how, intruder: 'none', hides: false, interruptions: [] },
  ];
}

/** A page with moves in it, mostly the first, lies where another one of the same copy belongs, and a start reads it. */
function drawSwappedPage(random: Random, scenario: Scenario): Step[] {
  const copy = random.below(scenario.copyCount);
  const page = random.pick([1, 2]);
  const what = random.pick(['swap', 'lieSwap'] as const);
  const at = OF_THIS_COPY | OF_FIRST_PAGE | OF_THIS_SLOT | random.below(2);
  const how = random.pick(['kill', 'powerCut', 'stop'] as const);
  const add = { kind: 'hand', action: 'add', isAimed: false, place: ANYWHERE, mainFlags: 0 } as const;
  return [
    { ...add, unit: random.below(4096), events: 200 },
    { kind: 'metadata', copy, page, what, at },
    { kind: 'crash', how, intruder: 'none', hides: false, interruptions: [] },
  ];
}

function drawHandStep(random: Random, action: HandStep['action']): HandStep {
  const place = random.pick([ANYWHERE, ANYWHERE, WHERE_RELEASED, random.below(256)]);
  return {
    kind: 'hand',
    action,
    isAimed: random.chance(action === 'add' ? 1 : 7, action === 'add' ? 2 : 8),
    unit: random.below(4096),
    place: action === 'add' ? place : ANYWHERE,
    mainFlags: random.pick(MAIN_FLAGS),
    events: random.pick([0, 0, 1, 4, 10, 40, 200]),
  };
}

const ORDERS: readonly (readonly HandStep['action'][])[] = [
  ['add'],
  ['release'],
  ['add', 'release'],
  ['release', 'add'],
  ['add', 'add', 'release', 'add'],
  ['add', 'release', 'release', 'add', 'add'],
];
/** Of `MetadataStep.at` (`damage-metadata.ts`). */
const OF_THIS_COPY = 2;
const OF_FIRST_PAGE = 4;
const OF_THIS_SLOT = 8;
/** Mostly nothing; readable never again although it takes what is written; readable never again; not writable. */
const MAIN_FLAGS = [
  ...[0, 0, 0, 0, 0],
  BlockFlag.unreadable,
  BlockFlag.unreadable | BlockFlag.unwritable,
  BlockFlag.unwritable,
];
