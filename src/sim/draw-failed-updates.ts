import type { CrashStep, Step } from './history.js';
import type { Random } from './random.js';
import type { Scenario } from './scenario.js';

/** One update of the metadata, or the last flush of all, fails in part, right before the next one or the end of the process. */
export function drawFailedUpdate(random: Random, scenario: Scenario): Step[] {
  const kinds = [() => drawHalfCommit(random, scenario), () => drawFailedStop(random, scenario)];
  if (scenario.keptSettings !== undefined)
    kinds.push(
      () => drawMissedSuperblock(random, scenario),
      () => drawMissedSuperblock(random, scenario),
      () => drawRefusedSettings(random, scenario),
      () => drawRefusedSettings(random, scenario),
    );
  return random.pick(kinds)();
}

/** A spare is away for a moment, in which some of its copies of the map are written. */
function drawHalfCommit(random: Random, scenario: Scenario): Step[] {
  const target = 1 + random.below(scenario.spareBytes.length);
  return [
    drawAdd(random),
    { kind: 'run', events: random.below(6), fromMetadataWrite: true },
    { kind: 'vanish', target, isReadable: false },
    { kind: 'run', events: 1 + random.below(30), fromMetadataWrite: false },
    { kind: 'comeBack', target, how: 'inPlace', keepTimes: 8 },
    { kind: 'run', events: random.below(40), fromMetadataWrite: false },
  ];
}

/** The set is stopped, and a flush fails then: it was not stopped cleanly. */
function drawFailedStop(random: Random, scenario: Scenario): Step[] {
  const writes = Array.from({ length: 1 + random.below(4) }, (): Step => {
    const [queue, first, events] = [random.below(12), random.below(8), random.pick([0, 10])];
    const place = { queue, isAimed: true, first, count: 1 } as const;
    return { kind: 'request', operation: 'write', ...place, durable: false, flags: 0, events };
  });
  const target = random.below(1 + scenario.spareBytes.length);
  return [...writes, { ...crash('stop'), flushFails: { target, keepTimes: random.pick([0, 0, 4]) } }];
}

/** A spare has missed an update of the superblock, and the next one is cut off. */
function drawMissedSuperblock(random: Random, scenario: Scenario): Step[] {
  const target = 1 + random.below(scenario.spareBytes.length);
  return [
    { kind: 'rest' },
    { kind: 'flushFails', target, keepTimes: random.pick([0, 4]) },
    ...drawSet(50),
    drawSet(100)[0]!,
    { kind: 'run', events: random.below(10), fromMetadataWrite: true },
    crash('powerCut'),
  ];
}

/** Settings are refused, and may be on a disk all the same; then they are set to what they are. */
function drawRefusedSettings(random: Random, scenario: Scenario): Step[] {
  const target = 1 + random.below(scenario.spareBytes.length);
  return [
    { kind: 'rest' },
    ...drawSet(100),
    { kind: 'flushFails', target, keepTimes: random.pick([4, 8, 8]) },
    ...drawSet(50),
    ...drawSet(100),
    crash('kill'),
  ];
}

function drawSet(percent: number): Step[] {
  return [
    { kind: 'set', changes: { emergency_threshold: percent }, events: 0 },
    { kind: 'run', events: 60, fromMetadataWrite: true },
  ];
}

function drawAdd(random: Random): Step {
  const unit = random.below(1 << 16);
  return { kind: 'hand', action: 'add', isAimed: false, unit, place: -1, mainFlags: 0, events: 0 };
}

function crash(how: CrashStep['how']): CrashStep {
  return { kind: 'crash', how, intruder: 'none', hides: false, interruptions: [] };
}
