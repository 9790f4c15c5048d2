import { blankSet } from './blank-set.js';
import { ANYWHERE, type HandStep } from './commands/hand-step.js';
import { BlockFlag } from './disk-faults.js';
import type { FaultStep, RequestStep, Step } from './history.js';
import type { Random } from './random.js';
import type { Scenario } from './scenario.js';

/**
 * Things that seldom come close together: once or some times in a history they do, one right after the other. `random` is a
 * stream of its own: the other steps stay as they are.
 */
export function drawTightSpots(
  random: Random,
  given: Scenario,
  steps: readonly Step[],
): { readonly scenario: Scenario; readonly steps: Step[] } {
  const scenario = otherSizes(random, given);
  const changed = [...steps];
  for (let count = 1 + random.below(3); count > 0; count -= 1) {
    const spot = new TightSpot(random, scenario).draw();
    changed.splice(random.below(changed.length + 1), 0, ...spot);
  }
  return { scenario, steps: changed };
}

function otherSizes(random: Random, scenario: Scenario): Scenario {
  if (random.chance(1, 4)) return withTwoRegions(random, scenario);
  return scenario.blockBytes === 512 && random.chance(1, 4) ? withManyPages(random, scenario) : scenario;
}

/** Of the filter: the main device is larger than a MiB. */
function withTwoRegions(random: Random, scenario: Scenario): Scenario {
  const { replacementBytes } = scenario;
  const mainBytes = Math.max(scenario.mainBytes, (1 << 20) + 4096 * (4 + random.below(32)));
  if (replacementBytes === undefined) return { ...scenario, mainBytes };
  return { ...scenario, mainBytes, replacementBytes: Math.max(replacementBytes, mainBytes) };
}

/** More than are made known at once when the first is used (`WATERMARK_STEP_PAGES`), if copies of that size fit. */
function withManyPages(random: Random, scenario: Scenario): Scenario {
  const spareBytes = scenario.spareBytes.map(() => (3 << 20) + 65536 * random.below(17));
  const larger = { ...scenario, unitBytes: 512, spareBytes };
  return blankSet(larger) === undefined ? scenario : larger;
}

class TightSpot {
  readonly #random: Random;
  readonly #scenario: Scenario;
  readonly #blocksPerUnit: number;
  readonly #blockCount: number;

  constructor(random: Random, scenario: Scenario) {
    this.#random = random;
    this.#scenario = scenario;
    this.#blocksPerUnit = scenario.unitBytes / scenario.blockBytes;
    this.#blockCount = Math.floor(scenario.mainBytes / scenario.blockBytes);
  }

  draw(): Step[] {
    const kinds = [
      () => this.#doubt(),
      () => this.#doubt(),
      () => this.#probe(),
      () => this.#farPages(),
      () => [this.#weak()],
    ];
    if (this.#scenario.hasCommands) kinds.push(() => this.#farDamage());
    if (this.#border + this.#blocksPerUnit < this.#blockCount)
      kinds.push(
        () => this.#acrossBorder(),
        () => this.#acrossBorder(),
        () => this.#acrossBorder(),
      );
    return this.#random.pick(kinds)();
  }

  /** A commit fails, and may be on a disk all the same; requests go on in its unit, and perhaps the process ends. */
  #doubt(): Step[] {
    const random = this.#random;
    const target = 1 + random.below(this.#scenario.spareBytes.length);
    return [
      ...this.#move(),
      { kind: 'run', events: random.below(8), fromMetadataWrite: true },
      ...(random.chance(1, 3) ? this.#failedFlushes(target) : this.#shortOutage(target)),
      ...this.#crowd(),
      ...(random.chance(1, 3) ? [] : [this.#crash(random.below(10))]),
    ];
  }

  /** A unit that need not be bad at all, so that the main device takes what is written to it. */
  #move(): Step[] {
    const random = this.#random;
    if (random.chance(1, 3)) return [this.#bad(random.below(this.#blockCount), 0), this.#write(0)];
    if (random.chance(1, 2)) return [this.#hand('add', ANYWHERE)];
    return [this.#hand('add', ANYWHERE), this.#run(200), this.#hand('release', ANYWHERE)];
  }

  #failedFlushes(target: number): Step[] {
    const random = this.#random;
    const fails = { kind: 'flushFails', target, keepTimes: random.pick([0, 4, 8]) } as const;
    return [fails, this.#run(12), fails, this.#run(12)];
  }

  #shortOutage(target: number): Step[] {
    const random = this.#random;
    const how = random.pick(['inPlace', 'inPlace', 'renamed'] as const);
    const requests = random.chance(1, 2) ? [] : this.#crowd();
    return [
      { kind: 'vanish', target, isReadable: false },
      this.#run(random.pick([6, 30])),
      ...requests,
      ...(random.chance(1, 2)
        ? []
        : [{ kind: 'comeBack', target, how, keepTimes: random.pick([0, 4, 8]) } as const]),
    ];
  }

  /** A write fails for what may be the device, which is tried in other places: requests, and bad sectors, are there, too. */
  #probe(): Step[] {
    const random = this.#random;
    const placeCount = 1 + random.below(3);
    const places = Array.from({ length: placeCount }, (_, place) => this.#probedBlock(place));
    const spoilt = BlockFlag.unwritable | BlockFlag.spoiltByFailedWrite;
    const bad = places.filter(() => random.chance(1, 2)).map((block) => this.#bad(block, spoilt));
    const elsewhere = random.below(this.#blockCount);
    const requests = Array.from({ length: 2 + random.below(6) }, () =>
      this.#request(random.pick(['write', 'write', 'read']), random.pick(places), 1 + random.below(2)),
    );
    return [
      ...bad,
      this.#bad(elsewhere, BlockFlag.unwritable | BlockFlag.ambiguous),
      this.#write(random.below(4)),
      ...requests,
      ...(random.chance(1, 4) ? [this.#crash(random.below(20))] : []),
    ];
  }

  /** Where the product looks whether the main device lives. */
  #probedBlock(place: number): number {
    const { mainBytes, unitBytes } = this.#scenario;
    const unit = Math.floor(((place + 0.5) * mainBytes) / 8 / unitBytes) + place;
    return Math.min(unit * this.#blocksPerUnit, this.#blockCount - 1);
  }

  /** A unit lives far behind the others, in another page of the map, and moves to where those are. */
  #farPages(): Step[] {
    const random = this.#random;
    const spareCount = this.#scenario.spareBytes.length;
    const spare = random.below(spareCount);
    const unit = random.pick([128 + random.below(256), 4096 - random.below(128) + random.below(256)]);
    const place = spareCount * unit + spare;
    const flags = random.pick([BlockFlag.unwritable, BlockFlag.unwritable | BlockFlag.unreadable]);
    const bad = { kind: 'bad', target: 1 + spare, isAimed: true, block: 0, count: 16, flags } as const;
    return [
      this.#hand('add', place),
      this.#run(300),
      { ...bad, block: random.below(1 << 16) },
      ...this.#crowd(),
      { kind: 'run', events: random.below(6), fromMetadataWrite: true },
      this.#crash(random.below(4)),
    ];
  }

  #weak(): Step {
    return { kind: 'weak', isOnSpare: false, block: this.#random.below(1 << 16) };
  }

  /** In any page that was ever written, not just one of the first, which are those that say most. */
  #farDamage(): Step[] {
    const random = this.#random;
    const what = random.pick(['flip', 'zero', 'stale'] as const);
    const copy = random.below(this.#scenario.copyCount);
    // A scrub, and a start, take several at a time.
    const page = random.pick([random.below(48), 14 + random.below(4)]);
    const damage = { kind: 'metadata', copy, page, what, at: random.below(8192) } as const;
    return [damage, { kind: 'scrub', isAlone: true, events: 0 }];
  }

  /** Requests to two regions of the filter at once, beside those that move the last unit of one, or the first of the other. */
  #acrossBorder(): Step[] {
    const random = this.#random;
    const [border, reach] = [this.#border, this.#blocksPerUnit];
    const all = [border - reach, border - 2 * reach, border + reach - 1];
    const bad = all.filter((block) => block < this.#blockCount && random.chance(2, 3));
    const moving = bad.map(
      (block): Step => ({ ...this.#request('write', block, 1), events: random.below(3) }),
    );
    const requests = Array.from({ length: 4 + random.below(8) }, (): Step => {
      const isAcross = random.chance(1, 2);
      const longest = Math.min(reach, this.#scenario.maxRequestBlocks - 1);
      const count = (isAcross ? 1 : 0) + 1 + random.below(longest);
      const first = border - (isAcross ? 1 + random.below(count - 1) : random.below(2 * reach + 1));
      const operation = random.pick(['write', 'write', 'write', 'read', 'zero'] as const);
      return { ...this.#request(operation, first, count), events: random.pick([0, 0, 1, 3, 10]) };
    });
    const ends = random.chance(1, 3) ? [this.#crash(random.below(20))] : [];
    return [...bad.map((block) => this.#bad(block, 0)), ...moving, ...requests, ...ends];
  }

  /** The first block behind the first MiB. */
  get #border(): number {
    return (1 << 20) / this.#scenario.blockBytes;
  }

  /** `flags` 0: any that makes a write fail. */
  #bad(block: number, flags: number): FaultStep {
    const random = this.#random;
    const drawn = BlockFlag.unwritable | (random.chance(1, 2) ? BlockFlag.ambiguous : 0);
    return { kind: 'bad', target: 0, isAimed: false, block, count: 1, flags: flags === 0 ? drawn : flags };
  }

  #hand(action: HandStep['action'], place: number): HandStep {
    const unit = this.#random.below(1 << 16);
    return { kind: 'hand', action, isAimed: action === 'release', unit, place, mainFlags: 0, events: 0 };
  }

  #run(eventsMax: number): Step {
    return { kind: 'run', events: this.#random.below(eventsMax), fromMetadataWrite: false };
  }

  #crowd(): Step[] {
    const random = this.#random;
    return Array.from({ length: 2 + random.below(8) }, (): Step => {
      const operation = random.pick(['write', 'write', 'write', 'zero', 'zero', 'read', 'flush'] as const);
      const count = 1 + random.below(this.#blocksPerUnit);
      const first = random.below(this.#blocksPerUnit);
      return { ...this.#request(operation, first, count), isAimed: true };
    });
  }

  #write(events: number): Step {
    return { ...this.#request('write', 0, 1), isAimed: true, events };
  }

  #request(operation: RequestStep['operation'], first: number, longest: number): RequestStep {
    const random = this.#random;
    const count = Math.min(longest, this.#blockCount);
    return {
      ...{ kind: 'request', operation, queue: random.below(12), isAimed: false, count },
      first: Math.max(0, Math.min(first, this.#blockCount - count)),
      durable: random.chance(1, 4),
      flags: random.pick([0, 0, 2]),
      events: random.pick([0, 0, 1, 3, 10, 40]),
    };
  }

  #crash(events: number): Step {
    const how = this.#random.pick(['kill', 'powerCut', 'powerCut'] as const);
    const before = { events, fromMetadataWrite: false, how: 'kill' } as const;
    const interruptions = this.#random.chance(1, 6) ? [before] : [];
    return { kind: 'crash', how, intruder: 'none', hides: false, interruptions };
  }
}
