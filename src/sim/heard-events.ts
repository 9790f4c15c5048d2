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
    const { statistics, ledger, machine, told, holding, log } = this.#parts;
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
    if (event.kind === 'returnRefused' && event.refusal.kind === 'contentDiffers') {
      const isRight = machine.life?.surroundings.hasRefusedIt !== true || ledger.mainHasReverted;
      check(isRight, 'refusedOwnDevice', 'the main device is back, unchanged, and is taken for another');
    }
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
