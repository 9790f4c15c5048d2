import type { FaultStep, RequestStep, Step } from './history.js';
import type { Random } from './random.js';
import type { Scenario } from './scenario.js';

/**
 * Writes and flushes side by side, some of them in a unit that lives on a spare, and then the power fails, or a flush has: who
 * believes which flush? Some times in a history. `random` is a stream of its own: the other steps stay as they are.
 */
export function drawFlushCrowds(
  random: Random,
  given: Scenario,
  steps: readonly Step[],
): { readonly scenario: Scenario; readonly steps: Step[] } {
  const hasRaces = given.hasRaces || (given.queueCount > 0 && random.chance(1, 4));
  const scenario = { ...given, hasRaces, inFlightMax: Math.max(8, given.inFlightMax) };
  const changed = [...steps];
  for (let count = 2 + random.below(4); count > 0; count -= 1)
    changed.splice(random.below(changed.length + 1), 0, ...drawCrowd(random, scenario));
  return { scenario, steps: changed };
}

function drawCrowd(random: Random, scenario: Scenario): Step[] {
  if (scenario.replacementBytes !== undefined && random.chance(2, 3)) return drawRecording(random, scenario);
  if (random.chance(1, 5)) return drawHeld(random);
  if (random.chance(1, 6)) return drawSuspendedEnd(random, scenario);
  const requests: Step[] = Array.from({ length: 6 + random.below(12) }, () => drawRequest(random));
  if (random.chance(1, 3))
    requests.splice(random.below(requests.length), 0, drawFailingFlush(random, scenario));
  return [...(random.chance(1, 2) ? [drawAdd(random)] : []), ...requests, drawEnd(random)];
}

/** Something changes, or is undone, while what was copied to another disk is being recorded. */
function drawRecording(random: Random, scenario: Scenario): Step[] {
  const change = (): Step => ({ ...drawRequest(random), operation: random.pick(['write', 'write', 'zero']) });
  const changes = Array.from({ length: 1 + random.below(3) }, change);
  const failing = random.chance(1, 3) ? [drawFailingFlush(random, scenario)] : [];
  return [
    { kind: 'evacuate', isFresh: true, events: 400 },
    change(),
    { kind: 'recording' },
    drawRun(random, random.pick([0, 4, 24])),
    ...failing,
    ...changes,
    random.chance(1, 2) ? { kind: 'rest' } : drawEnd(random),
  ];
}

/** Durable writes wait for the main device, and are durable all the same. */
function drawHeld(random: Random): Step[] {
  const write = (): Step => ({ ...drawRequest(random), operation: 'write', durable: true });
  return [
    { kind: 'vanish', target: 0, isReadable: false },
    ...Array.from({ length: 2 + random.below(4) }, write),
    drawRun(random, 60),
    { kind: 'comeBack', target: 0, how: 'inPlace', keepTimes: 8 },
    { kind: 'run', events: 40 + random.below(200), fromMetadataWrite: false },
    drawEnd(random),
  ];
}

/** The set is suspended also where its last unit, or its first, is. */
function drawSuspendedEnd(random: Random, { mainBytes, blockBytes }: Scenario): Step[] {
  const first = random.chance(1, 4) ? 0 : mainBytes / blockBytes - 1;
  const write: Step = { ...drawRequest(random), operation: 'write', isAimed: false, first, count: 1 };
  return [
    { kind: 'suspend', events: 100 },
    { ...write, events: 10 },
    { kind: 'resume', events: 0 },
  ];
}

function drawRequest(random: Random): RequestStep {
  const operation = random.pick(['write', 'write', 'flush'] as const);
  const place = {
    queue: random.below(12),
    isAimed: true,
    first: random.below(8),
    count: 1 + random.below(2),
  };
  const events = random.pick([0, 0, 1, 2, 4]);
  return { kind: 'request', operation, ...place, durable: random.chance(1, 8), flags: 0, events };
}

function drawFailingFlush(random: Random, scenario: Scenario): FaultStep {
  const target = random.below(1 + scenario.spareBytes.length);
  return { kind: 'flushFails', target, keepTimes: random.pick([0, 0, 4]) };
}

/** Requests are to meet there. */
function drawAdd(random: Random): Step {
  const unit = random.below(1 << 16);
  return { kind: 'hand', action: 'add', isAimed: false, unit, place: -1, mainFlags: 0, events: 200 };
}

function drawEnd(random: Random): Step {
  if (random.chance(1, 4)) return drawRun(random, 40);
  return { kind: 'crash', how: 'powerCut', intruder: 'none', hides: false, interruptions: [] };
}

function drawRun(random: Random, eventsMax: number): Step {
  return { kind: 'run', events: random.below(1 + eventsMax), fromMetadataWrite: false };
}
