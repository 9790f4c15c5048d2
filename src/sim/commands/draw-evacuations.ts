import { drawBurst } from '../burst.js';
import type { CrashStep, FaultStep, RequestStep, Step } from '../history.js';
import { BYSTANDER } from '../machine.js';
import type { Random } from '../random.js';
import type { Scenario } from '../scenario.js';
import type { CutOverInterruption, CutOverStep } from './evacuation-step.js';

/**
 * Puts copying to another disk, which may take over, and giving everything back between the steps of a history. `random` is
 * a stream of its own: the other steps stay as they are.
 */
export function drawEvacuations(random: Random, scenario: Scenario, steps: readonly Step[]): EvacuationPlan {
  const replacementBytes = scenario.mainBytes + random.pick([0, 0, 4096, 65536 * (1 + random.below(4))]);
  const volatileCaches = [...scenario.volatileCaches, random.chance(7, 8)];
  const settlePeriodMs = random.pick([2, 20, 200, 10_000]);
  const withSteps = steps.flatMap((step): Step[] =>
    random.chance(1, 24) ? [step, ...drawGroup(random, scenario)] : [step],
  );
  return { scenario: { ...scenario, replacementBytes, volatileCaches, settlePeriodMs }, steps: withSteps };
}

export interface EvacuationPlan {
  readonly scenario: Scenario;
  readonly steps: readonly Step[];
}

function drawGroup(random: Random, scenario: Scenario): Step[] {
  if (random.chance(1, 4)) return drawLeave(random, scenario);
  const { mainBytes, blockBytes } = scenario;
  const isHarmed = random.chance(1, 3);
  const harm = isHarmed ? [drawHarm(random, Math.floor(mainBytes / blockBytes))] : [];
  const isFresh = random.chance(3, 4);
  const events = random.pick([0, 1, 4, 20, 100, 400]);
  const crowd = drawCrowd(random, scenario);
  return [{ kind: 'evacuate', isFresh, events }, ...harm, ...crowd, ...drawEnd(random, scenario)];
}

function drawCrowd(random: Random, scenario: Scenario): Step[] {
  if (random.chance(1, 3)) return drawUndone(random, scenario);
  return random.chance(1, 2) ? unhidden(drawBurst(random, scenario)) : [];
}

/** The main device forgets what was written, or has done it in part only, and perhaps the other disk has all of it. */
function drawUndone(random: Random, scenario: Scenario): Step[] {
  const { failingFlushes, outages } = scenario.trouble;
  const requests = drawBurst(random, scenario).filter(isRequest);
  const keepTimes = random.pick([0, 4]);
  const flush = { ...NO_REQUEST, operation: 'flush', events: 40 } as const;
  const copied = { kind: 'run', events: 400, fromMetadataWrite: false } as const;
  const rest: Step[] = random.chance(1, 2) ? [{ kind: 'rest' }] : [];
  if (outages > 0 && random.chance(1, 2)) {
    const how = random.pick(['inPlace', 'renamed'] as const);
    return [
      copied,
      { kind: 'vanish', target: 0, isReadable: false },
      ...requests,
      { kind: 'comeBack', target: 0, how, keepTimes },
      ...rest,
    ];
  }
  if (failingFlushes === 0) return requests;
  return [copied, ...requests, { kind: 'flushFails', target: 0, keepTimes }, flush, ...rest];
}

function drawEnd(random: Random, scenario: Scenario): Step[] {
  switch (random.below(8)) {
    case 0:
      return [];
    case 1:
      return [{ kind: 'cancelEvacuation', events: random.pick([0, 4, 40]) }];
    case 2:
      return [{ kind: 'run', events: random.below(60), fromMetadataWrite: false }, drawCrash(random)];
    case 3:
      return [drawCutOver(random, scenario), drawCrash(random)];
    default:
      return [drawCutOver(random, scenario)];
  }
}

/** The set is closed, lives on the other disk from now on, and is opened again. */
export function drawCutOver(random: Random, scenario: Scenario): CutOverStep {
  const requests = random.chance(1, 2) ? drawBurst(random, scenario).filter(isRequest).slice(0, 4) : [];
  const patience = random.pick([0, 200, 4000, 4000, 4000]);
  const starts = random.chance(1, 3) ? [drawCutStart(random)] : [];
  const step = { kind: 'cutOver', patience, requests, starts } as const;
  return random.chance(1, 2) ? step : { ...step, interruption: drawInterruption(random) };
}

function drawCutStart(random: Random): CrashStep['interruptions'][number] {
  const fromMetadataWrite = random.chance(1, 2);
  const events = fromMetadataWrite ? random.below(16) : 1 + random.below(80);
  return { how: random.pick(['kill', 'powerCut', 'powerCut'] as const), events, fromMetadataWrite };
}

function drawInterruption(random: Random): CutOverInterruption {
  return {
    phase: random.pick(['close', 'before', 'change', 'change', 'change'] as const),
    how: random.pick(['kill', 'powerCut', 'powerCut'] as const),
    events: 1 + random.below(random.pick([10, 60, 150])),
  };
}

/** Of the disk that everything is copied to. */
function drawHarm(random: Random, blockCount: number): FaultStep {
  const target = BYSTANDER;
  const block = random.below(blockCount);
  switch (random.below(5)) {
    case 0:
      return { kind: 'vanish', target, isReadable: false };
    case 1:
      return { kind: 'flushFails', target, keepTimes: random.pick([0, 4, 8]) };
    case 2: {
      const on = random.pick(['read', 'write'] as const);
      return { kind: 'passing', target, block, on, errno: random.pick(PASSING_ERRNOS) };
    }
    default: {
      const flags = random.pick(BAD_KINDS);
      return { kind: 'bad', target, isAimed: false, block, count: random.pick([1, 2, 8]), flags };
    }
  }
}

function drawLeave(random: Random, scenario: Scenario): Step[] {
  const isAlone = random.chance(1, 2);
  const leave = { kind: 'leave', isAlone, events: random.pick([0, 1, 10, 60, 400]) } as const;
  if (isAlone) return [leave];
  return [leave, ...(random.chance(1, 2) ? unhidden(drawBurst(random, scenario)) : [drawCrash(random)])];
}

function drawCrash(random: Random): Step {
  const how = random.pick(['kill', 'powerCut', 'powerCut'] as const);
  return {
    kind: 'crash',
    how,
    intruder: random.pick(['none', 'otherMain']),
    hides: false,
    interruptions: [],
  };
}

function isRequest(step: Step): step is RequestStep {
  return step.kind === 'request';
}

const NO_REQUEST = {
  kind: 'request',
  queue: 0,
  isAimed: false,
  first: 0,
  count: 1,
  durable: false,
  flags: 0,
} as const;

/** What hides must not be taken for damage that a command has left; see docs/fault-model.md. */
function unhidden(steps: readonly Step[]): Step[] {
  return steps.map((step) => (step.kind === 'crash' ? { ...step, hides: false } : step));
}

/** Of `BlockFlag`: not to be read for good, until it is written, not to be written, slow. */
const BAD_KINDS = [1, 1 | 4, 1 | 2, 2, 2 | 8, 32];
/** EIO, ENODATA, ETIMEDOUT. */
const PASSING_ERRNOS = [5, 61, 110];
