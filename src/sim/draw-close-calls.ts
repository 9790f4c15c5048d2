import { BlockFlag } from './disk-faults.js';
import { drawFailedUpdate } from './draw-failed-updates.js';
import type { Step } from './history.js';
import type { Random } from './random.js';
import type { Scenario } from './scenario.js';

/**
 * What otherwise hardly ever happens at the very moment at which it matters: once or twice in a history. `random` is a
 * stream of its own: the other steps stay as they are.
 */
export function drawCloseCalls(random: Random, scenario: Scenario, steps: readonly Step[]): Step[] {
  const changed = [...steps];
  for (let count = 1 + random.below(3); count > 0; count -= 1) {
    const call = drawCall(random, scenario);
    changed.splice(random.below(changed.length + 1), 0, ...call);
  }
  return changed;
}

function drawCall(random: Random, scenario: Scenario): Step[] {
  const kinds = [
    () => drawFlap(random),
    () => drawFlap(random),
    () => drawNamedPlace(random, scenario),
    () => drawNamedPlace(random, scenario),
    () => drawWeakPlace(random, scenario),
    () => drawFailedUpdate(random, scenario),
    () => drawFailedUpdate(random, scenario),
    () => drawFailedUpdate(random, scenario),
    () => drawTakenMeanwhile(random, scenario),
    () => drawShortSuspension(random),
  ];
  if (scenario.hasCommands)
    kinds.push(
      () => drawShortOfRelease(random, scenario),
      () => drawTurns(random, scenario),
    );
  if (scenario.replacementBytes !== undefined)
    kinds.push(
      () => drawRecorded(random),
      () => drawRecorded(random),
      () => drawRecorded(random),
    );
  return random.pick(kinds)();
}

/** The main device is away and there again while it is found out why a read has failed. */
function drawFlap(random: Random): Step[] {
  const steps: Step[] = [drawRead(random)];
  for (let times = 0; times < FLAPS; times += 1)
    steps.push(
      { kind: 'vanish', target: 0, isReadable: false },
      drawRun(random, 24),
      { kind: 'comeBack', target: 0, how: 'inPlace', keepTimes: 8 },
      drawRun(random, 12),
    );
  return steps;
}

/** With one more, a device may be away whenever it is read, and there whenever it is to prove that it lives. */
const FLAPS = 2;

/** A spare goes away while a unit is on its way to a place there that somebody has named, or when it is there and is written. */
function drawNamedPlace(random: Random, scenario: Scenario): Step[] {
  const spareCount = scenario.spareBytes.length;
  const spare = random.below(spareCount);
  const place = spareCount * random.below(126) + spare;
  const unit = random.below(1 << 16);
  const count = Math.min(scenario.unitBytes / scenario.blockBytes, scenario.maxRequestBlocks);
  const write: Step = { ...drawRead(random), operation: 'write', first: 0, count };
  const events = random.pick([random.below(6), 300]);
  return [
    { kind: 'hand', action: 'add', isAimed: false, unit, place, mainFlags: 0, events },
    { kind: 'vanish', target: 1 + spare, isReadable: false },
    ...(random.chance(1, 2) ? [write] : []),
    drawRun(random, 80),
    { kind: 'comeBack', target: 1 + spare, how: 'inPlace', keepTimes: 8 },
  ];
}

/** It ends before it was granted. */
function drawShortSuspension(random: Random): Step[] {
  const request = drawRead(random);
  return [
    { ...request, operation: 'write' },
    request,
    { kind: 'suspend', events: random.below(3) },
    { kind: 'resume', events: 0 },
    request,
  ];
}

/** Somebody names a place, and while the unit is read, which takes its time, the place is given to one that fails. */
function drawTakenMeanwhile(random: Random, scenario: Scenario): Step[] {
  const spareCount = scenario.spareBytes.length;
  const place = spareCount * (16 + random.below(48));
  const [unit, block] = [random.below(1 << 16), random.below(64)];
  const flags = BlockFlag.unreadable | BlockFlag.healsWhenWritten;
  const hand = { kind: 'hand', action: 'add', isAimed: false, mainFlags: 0, events: 0 } as const;
  const low = Array.from(
    { length: 3 },
    (_, nth): Step => ({
      ...{ ...hand, unit: unit + 1 + nth, place: place + nth * spareCount, events: 0 },
      mainFlags: flags,
    }),
  );
  const bad = { kind: 'bad', target: 0, isAimed: false, count: 16, flags: BlockFlag.unwritable } as const;
  const write: Step = { ...drawRead(random), operation: 'write', first: 0, count: 4 };
  return [...low, { ...bad, block }, write, { ...write, first: 4 }, { ...write, first: 8 }];
}

/** A unit moves to a spare, and its block there is hard to read. */
function drawWeakPlace(random: Random, scenario: Scenario): Step[] {
  const place = random.chance(1, 2) ? -1 : random.below(126 * scenario.spareBytes.length);
  const unit = random.below(1 << 16);
  return [
    { kind: 'hand', action: 'add', isAimed: false, unit, place, mainFlags: 0, events: 0 },
    { kind: 'weak', isOnSpare: true, block: random.below(1 << 16) },
  ];
}

/** The new place of a unit is noted, and that the old one is free can't be. */
function drawShortOfRelease(random: Random, scenario: Scenario): Step[] {
  return [
    drawAdd(random.below(1 << 16)),
    { kind: 'shift', unit: random.below(4096), place: random.below(512), events: 0 },
    ...drawCutRelease(random, scenario),
  ];
}

/** The same of a move at which the count of moves goes beyond seven, or eight, bits: the later place counts all the same. */
function drawTurns(random: Random, scenario: Scenario): Step[] {
  const unit = random.below(1 << 16);
  const write: Step = { ...drawRead(random), operation: 'write', first: 0, events: 40 };
  return [
    drawAdd(unit),
    { kind: 'turns', unit, lastCount: random.pick([127, 255]) },
    ...drawCutRelease(random, scenario),
    write,
    { ...write, operation: 'flush', count: 1 },
    {
      kind: 'crash',
      how: random.pick(['kill', 'powerCut']),
      intruder: 'none',
      hides: false,
      interruptions: [],
    },
  ];
}

/** Two commits are made for a move: the second one fails, however often it is tried. */
function drawCutRelease(random: Random, scenario: Scenario): Step[] {
  const target = 1 + random.below(scenario.spareBytes.length);
  const fails = { kind: 'flushFails', target, keepTimes: random.pick([0, 4, 8]) } as const;
  const trouble: Step[] = random.chance(1, 2)
    ? [{ kind: 'vanish', target, isReadable: false }]
    : [fails, drawRun(random, 12), fails, drawRun(random, 12)];
  return [{ kind: 'run', events: random.below(24), fromMetadataWrite: true }, ...trouble];
}

function drawAdd(unit: number): Step {
  return { kind: 'hand', action: 'add', isAimed: false, unit, place: -1, mainFlags: 0, events: 200 };
}

/** What is copied changes for a moment, and is recorded as copied when it does not any more. */
function drawRecorded(random: Random): Step[] {
  const operation = random.pick(['discard', 'zero', 'write'] as const);
  return [
    { kind: 'evacuate', isFresh: true, events: random.pick([40, 400]) },
    { ...drawRead(random), operation },
    { kind: 'quiet' },
  ];
}

function drawRead(random: Random): Extract<Step, { kind: 'request' }> {
  const [queue, first, count] = [random.below(12), random.below(8), 1 + random.below(4)];
  return {
    ...{ kind: 'request', operation: 'read', queue, isAimed: true, first, count },
    ...{ durable: false, flags: 0, events: 0 },
  };
}

function drawRun(random: Random, eventsMax: number): Step {
  return { kind: 'run', events: random.below(eventsMax), fromMetadataWrite: false };
}
