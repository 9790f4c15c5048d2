import type { DeviceEvent } from '../device/device-event.js';
import { check } from './check-failure.js';
import type { Emptying } from './commands/emptying.js';
import type { Evacuating } from './commands/evacuating.js';
import type { Shifting } from './commands/shifting.js';
import type { Holding } from './holding.js';
import type { Ledger } from './ledger.js';
import type { Machine } from './machine.js';
import type { PlacesLeft } from './places-left.js';
import type { Statistics } from './statistics.js';
import type { Told } from './told.js';

/** What the process reports: counted, and held against what is so. */
export class HeardEvents {
  readonly #parts: HeardParts;
  /** Of all scrubs that have ended since `expectScrub`: a periodic one may be at work, too. Undefined: none has. */
  scrubReport: number | undefined;

  constructor(parts: HeardParts) {
    this.#parts = parts;
  }

  expectScrub(): void {
    this.scrubReport = undefined;
  }

  hear(event: DeviceEvent): void {
    const { statistics, ledger, told, holding, log } = this.#parts;
    log?.(`* ${JSON.stringify(event)}`);
    told.hear(event);
    this.#parts.placesLeft.hear(event);
    holding.hear(event);
    if (event.kind === 'metadataScrubbed') this.scrubReport = (this.scrubReport ?? 0) + event.repairedBlocks;
    if (event.kind === 'remapped') {
      statistics.moves += 1;
      for (const commands of [this.#parts.shifting, this.#parts.emptying])
        commands.noteMoved(event.mainUnit, event.spareUnit);
    }
    if (event.kind === 'lost') statistics.lostBlocks += 1;
    if (event.kind === 'evacuation') this.#parts.evacuating.hear(event.progress);
    if (event.kind === 'copyPositionLost') this.#parts.evacuating.losePosition();
    if (event.kind === 'spareBack') ledger.forgetMissed(1 + event.spareIndex);
    if (event.kind === 'returnRefused') this.#judgeRefusal(event);
  }

  #judgeRefusal({ target, refusal }: Extract<DeviceEvent, { readonly kind: 'returnRefused' }>): void {
    const { machine, ledger } = this.#parts;
    // Gone once more while it was looked at, it could not show who it is.
    if (machine.life?.surroundings.hasRefusedIt !== true || machine.disks[target]!.isGone) return;
    const isSpare = target !== 0;
    // What is damaged on a spare may hide how far it was.
    const isExcused = isSpare
      ? (refusal.kind === 'unusable' && ledger.wasJustAway(target)) ||
        ledger.metadataTrouble.some((trouble) => trouble.target === target && !trouble.wasGone)
      : ledger.mainHasReverted || refusal.kind !== 'contentDiffers';
    const what = isSpare ? `spare ${target - 1}` : 'the main device';
    check(isExcused, 'refusedOwnDevice', `${what} is back, unchanged, and is refused: ${refusal.kind}`);
  }
}

export interface HeardParts {
  readonly machine: Machine;
  readonly ledger: Ledger;
  readonly statistics: Statistics;
  readonly shifting: Shifting;
  readonly emptying: Emptying;
  readonly told: Told;
  readonly placesLeft: PlacesLeft;
  readonly holding: Holding;
  readonly evacuating: Evacuating;
  readonly log: ((line: string) => void) | undefined;
}
