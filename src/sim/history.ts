import { drawBurst } from './burst.js';
import type { CommandStep } from './commands/command-step.js';
import type { Random } from './random.js';
import type { Scenario, Trouble } from './scenario.js';
import type { WeakStep } from './weak-units.js';

/** One decision of a run. A history is carried out step by step; without one of its steps it is a history, too. */
export type Step =
  | RequestStep
  /** So many events happen. */
  | RunStep
  /** So much time passes. */
  | { readonly kind: 'wait'; readonly ms: number }
  | FaultStep
  | CrashStep
  | CommandStep
  | WeakStep
  | HandOverStep
  /** All is let come to rest, with the devices back, and everything is looked at. */
  | RestStep;

export interface RunStep {
  readonly kind: 'run';
  readonly events: number;
  /** Counted from when metadata is being written; if that does not happen soon, from then. */
  readonly fromMetadataWrite: boolean;
}

/** Everything comes to rest, and is looked at. */
export interface RestStep {
  readonly kind: 'rest';
}

export interface RequestStep {
  readonly kind: 'request';
  readonly operation: 'read' | 'write' | 'flush' | 'discard' | 'zero';
  /** Which of the device and its queues, modulo their number. */
  readonly queue: number;
  /** `first` counts from where something went bad last (`aim.ts`). */
  readonly isAimed: boolean;
  readonly first: number;
  readonly count: number;
  readonly durable: boolean;
  /** Of write zeroes: `WriteZeroesFlag`. */
  readonly flags: number;
  /** Events that happen after it. */
  readonly events: number;
}

export interface CrashStep {
  readonly kind: 'crash';
  readonly how: 'kill' | 'powerCut' | 'stop';
  /** Before the next start, one is tried with something else in the place of a disk; it has to be refused. */
  readonly intruder: 'none' | 'otherMain' | 'staleSpare';
  /** Of a stop: the last thing before it, when all has come to rest. */
  readonly flushFails?: { readonly target: number; readonly keepTimes: number };
  /** Of what was being written to the metadata, one copy has all, and it can't be read until the next crash. */
  readonly hides: boolean;
  /** The next starts are cut off after so many events each. */
  readonly interruptions: readonly {
    readonly how: 'kill' | 'powerCut';
    readonly events: number;
    readonly fromMetadataWrite: boolean;
  }[];
}

/** The process leaves the block device to the next one, which starts at once. */
export interface HandOverStep {
  readonly kind: 'handOver';
  /** These come while it ends: answered by it or by the next. */
  readonly requests: readonly RequestStep[];
  /** It does not get so far: so many events after the requests. */
  readonly interruption?: { readonly how: 'kill' | 'powerCut'; readonly events: number };
}

export type FaultStep =
  | {
      readonly kind: 'bad';
      readonly target: number;
      /** On a spare: where a unit lives when it happens, if any does. */
      readonly isAimed: boolean;
      readonly block: number;
      readonly count: number;
      readonly flags: number;
    }
  | { readonly kind: 'heal'; readonly target: number; readonly block: number; readonly count: number }
  | {
      readonly kind: 'passing';
      readonly target: number;
      readonly block: number;
      readonly on: 'read' | 'write';
      readonly errno: number;
    }
  | { readonly kind: 'flushFails'; readonly target: number; readonly keepTimes: number }
  /** `isReadable`: it only takes no writes. One that is away already goes from one to the other. */
  | { readonly kind: 'vanish'; readonly target: number; readonly isReadable: boolean }
  | { readonly kind: 'comeBack'; readonly target: number; readonly how: ComeBack; readonly keepTimes: number }
  | {
      readonly kind: 'metadata';
      readonly copy: number;
      readonly page: number;
      readonly what: MetadataDamage;
      readonly at: number;
    };

/** Where it was; under another name; or first something else that must be refused, and then itself. */
export type ComeBack = 'inPlace' | 'renamed' | 'afterStale' | 'afterOther';

/** `lie...`: only what is read is wrong. */
export type MetadataDamage = 'flip' | 'zero' | 'stale' | 'swap' | 'lieFlip' | 'lieStale' | 'lieSwap';

export function drawHistory(random: Random, scenario: Scenario, length: number): Step[] {
  const steps: Step[] = [];
  const draw = new StepSource(random, scenario);
  for (let count = 0; count < length; count += 1) steps.push(draw.next());
  steps.push({ kind: 'rest' });
  return steps;
}

class StepSource {
  readonly #random: Random;
  readonly #scenario: Scenario;
  readonly #blockCount: number;
  /** Requests crowd here, so that they meet. */
  #hotSpot = 0;
  #goneTarget = -1;
  /** Comes before anything else. */
  #burst: Step[] = [];
  readonly #weights: readonly (readonly [keyof Trouble, number])[];

  constructor(random: Random, scenario: Scenario) {
    this.#random = random;
    this.#scenario = scenario;
    this.#blockCount = Math.floor(scenario.mainBytes / scenario.blockBytes);
    const { trouble } = scenario;
    this.#weights = KINDS.map((kind) => [kind, Number(trouble[kind])]);
  }

  next(): Step {
    const random = this.#random;
    const next = this.#burst.shift();
    if (next !== undefined) return next;
    if (random.chance(1, 10)) this.#hotSpot = random.below(this.#blockCount);
    const roll = random.below(100);
    if (roll < 78) return this.#request();
    if (roll < 82) return { kind: 'run', events: 1 + random.below(40), fromMetadataWrite: false };
    if (roll < 85) return { kind: 'wait', ms: random.pick([1, 10, 100, 1000, 3000]) };
    if (roll < 86) return random.chance(1, 3) ? { kind: 'rest' } : this.#request();
    return this.#trouble();
  }

  #request(): Step {
    const random = this.#random;
    const roll = random.below(32);
    const operation = roll < 12 ? 'read' : roll < 25 ? 'write' : (OPERATIONS[roll - 25] ?? 'write');
    const isRange = operation === 'discard' || operation === 'zero';
    const longest = isRange && random.chance(1, 4) ? 256 : this.#scenario.maxRequestBlocks;
    const count = 1 + random.below(Math.min(longest, this.#blockCount));
    return {
      kind: 'request',
      operation,
      queue: random.below(12),
      isAimed: false,
      first: this.#placeFor(count),
      count,
      durable: random.chance(1, 4),
      flags: random.pick([0, 0, 1, 2, 3, 4]),
      events: random.pick([0, 0, 0, 2, 6, 20, 80]),
    };
  }

  #placeFor(count: number): number {
    const random = this.#random;
    const last = this.#blockCount - count;
    if (random.chance(1, 4)) return random.below(last + 1);
    const around = this.#hotSpot + random.below(48) - 24 - (count >> 1);
    return Math.max(0, Math.min(last, around));
  }

  #trouble(): Step {
    const random = this.#random;
    if (this.#goneTarget !== -1 && random.chance(1, 3)) return this.#comeBack();
    const total = this.#weights.reduce((sum, [, weight]) => sum + weight, 0);
    let left = random.below(total);
    for (const [kind, weight] of this.#weights) {
      if (left < weight) return this.#troubleOf(kind);
      left -= weight;
    }
    return { kind: 'rest' };
  }

  #troubleOf(kind: keyof Trouble): Step {
    switch (kind) {
      case 'passingErrors':
        return this.#passing();
      case 'failingFlushes':
        return { kind: 'flushFails', target: this.#anyTarget(), keepTimes: this.#random.pick([0, 4, 8]) };
      case 'outages':
        return this.#goneTarget === -1 ? this.#vanish() : this.#comeBack();
      case 'metadataDamage':
        return this.#metadata();
      case 'crashes':
        return this.#crash();
      default:
        return this.#random.chance(1, 6) ? this.#heal() : this.#bad();
    }
  }

  #bad(): Step {
    const random = this.#random;
    const onSpare = this.#scenario.trouble.spareSectors && random.chance(1, 3);
    const { manyBadSectors } = this.#scenario.trouble;
    const count = random.pick(manyBadSectors ? [1, 8, 64, 200] : [1, 1, 2, 8, 16]);
    const kind = random.pick(BAD_KINDS) | (random.chance(1, 3) ? 16 : 0) | (random.chance(1, 6) ? 32 : 0);
    if (random.chance(1, 2)) this.#burst = drawBurst(random, this.#scenario);
    const fault = { kind: 'bad', count, flags: kind } as const;
    if (!onSpare) return { ...fault, target: 0, isAimed: false, block: this.#placeFor(count) };
    const target = 1 + random.below(this.#scenario.spareBytes.length);
    return { ...fault, target, isAimed: random.chance(1, 2), block: this.#placeOnSpare(target, count) };
  }

  #heal(): Step {
    const target = this.#anyTarget();
    const count = this.#random.pick([8, 64]);
    const block =
      target === 0 ? this.#placeFor(Math.min(count, this.#blockCount)) : this.#placeOnSpare(target, count);
    return { kind: 'heal', target, block, count: Math.min(count, this.#blockCount) };
  }

  #passing(): Step {
    const random = this.#random;
    const target = this.#anyTarget();
    const block = target === 0 ? this.#placeFor(1) : this.#placeOnSpare(target, 1);
    const on = random.chance(1, 2) ? 'read' : 'write';
    return { kind: 'passing', target, block, on, errno: random.pick(PASSING_ERRNOS) };
  }

  #vanish(): Step {
    this.#goneTarget = this.#anyTarget();
    return { kind: 'vanish', target: this.#goneTarget, isReadable: false };
  }

  #comeBack(): Step {
    const target = this.#goneTarget;
    this.#goneTarget = -1;
    const how = this.#random.pick(COME_BACKS);
    return { kind: 'comeBack', target, how, keepTimes: this.#random.pick([0, 4, 8]) };
  }

  #metadata(): Step {
    const random = this.#random;
    const copy = random.below(this.#scenario.copyCount);
    const page = random.below(4) - 1;
    return { kind: 'metadata', copy, page, what: random.pick(DAMAGES), at: random.below(8192) };
  }

  #crash(): Step {
    const random = this.#random;
    const how = random.pick(['kill', 'powerCut', 'powerCut', 'stop'] as const);
    const interruptions = Array.from({ length: random.pick([0, 0, 0, 1, 2]) }, () => {
      const fromMetadataWrite = random.chance(1, 2);
      const events = fromMetadataWrite ? random.below(16) : 1 + random.below(80);
      return { how: random.pick(['kill', 'powerCut'] as const), events, fromMetadataWrite };
    });
    return { kind: 'crash', how, intruder: random.pick(INTRUDERS), hides: false, interruptions };
  }

  #anyTarget(): number {
    return this.#random.below(1 + this.#scenario.spareBytes.length);
  }

  /** Low places, which are used first, more often than others. */
  #placeOnSpare(target: number, count: number): number {
    const blockCount = this.#scenario.spareBytes[target - 1]! / this.#scenario.blockBytes;
    const reach = this.#random.chance(2, 3) ? blockCount >> 3 : blockCount;
    return this.#random.below(Math.max(1, reach - count));
  }
}

const OPERATIONS = ['flush', 'flush', 'flush', 'zero', 'zero', 'discard', 'write'] as const;
const KINDS = [
  'badSectors',
  'passingErrors',
  'failingFlushes',
  'outages',
  'metadataDamage',
  'crashes',
] as const;
/** Of `BlockFlag`: unreadable for good; unreadable until written; neither; not writable, spoilt by the attempt. */
const BAD_KINDS = [1 | 2, 1 | 4, 1 | 2, 2, 2 | 8, 1 | 2 | 4, 32];
/** EIO, EAGAIN, ENODATA, ETIMEDOUT. */
const PASSING_ERRNOS = [5, 11, 61, 110];
const COME_BACKS = ['inPlace', 'inPlace', 'renamed', 'renamed', 'afterStale', 'afterOther'] as const;
const INTRUDERS = ['none', 'none', 'otherMain', 'staleSpare'] as const;
const DAMAGES = ['flip', 'zero', 'stale', 'swap', 'lieFlip', 'lieStale', 'lieSwap'] as const;
