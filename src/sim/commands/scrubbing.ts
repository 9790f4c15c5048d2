import { check } from '../check-failure.js';
import type { Lives } from '../lives.js';
import type { RunParts } from '../run-parts.js';
import type { ScrubStep } from './command-step.js';
import { checkScrub } from './scrub.js';

/** Scrubs of the metadata: in the midst of everything else, or alone, and looked at. */
export class Scrubbing {
  readonly #parts: RunParts;
  readonly #lives: Lives;

  constructor(parts: RunParts, lives: Lives) {
    this.#parts = parts;
    this.#lives = lives;
  }

  begin({ isAlone, events }: ScrubStep): void {
    const { machine, ledger, statistics } = this.#parts;
    if (isAlone) {
      this.#lives.settle();
      this.end();
      return checkScrub(machine, () => this.#runToEnd());
    }
    statistics.scrubs += 1;
    ledger.noteScrub();
    machine.life!.scrub();
    this.#parts.events.fire(events);
  }

  /** Those under way come to their end. */
  end(): void {
    const life = this.#parts.machine.life!;
    this.#parts.events.until(() => life.scrubsUnderWay === 0 && life.device!.isIdle, 'a scrub');
  }

  /** Answers what is reported. */
  #runToEnd(): number {
    const { machine, heard, statistics } = this.#parts;
    statistics.scrubs += 1;
    heard.expectScrub();
    machine.life!.scrub();
    this.end();
    check(heard.scrubReport !== undefined, 'scrub', 'a scrub ends without a report');
    return heard.scrubReport;
  }
}
