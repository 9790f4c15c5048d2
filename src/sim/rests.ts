import { checkAtRest } from './check-at-rest.js';
import type { ReadResult } from './client.js';
import type { Scrubbing } from './commands/scrubbing.js';
import type { QuietStep, RecordingStep } from './commands/turns-step.js';
import type { RestStep } from './history.js';
import type { Lives } from './lives.js';
import { readExisting } from './metadata-reader.js';
import { readAlone } from './read-alone.js';
import type { RunParts } from './run-parts.js';

/** Times when nothing is under way, and everything is looked at. */
export class Rests {
  readonly #parts: RunParts;
  readonly #lives: Lives;
  readonly #scrubbing: Scrubbing;

  constructor(parts: RunParts, lives: Lives, scrubbing: Scrubbing) {
    this.#parts = parts;
    this.#lives = lives;
    this.#scrubbing = scrubbing;
  }

  #rest(): void {
    const { machine, model, ledger, excuses, growing, byHand, evacuating, settings, faultParts } =
      this.#parts;
    this.#parts.statistics.rests += 1;
    this.#lives.settle();
    this.#scrubbing.end();
    const { lostReadsAsZero } = settings;
    const read = (first: number, count: number): ReadResult => readAlone(this.#parts, first, count);
    const { told, counts, emptying, mayHoldMore } = this.#parts;
    const parts = { machine, model, ledger, excuses, growing, told, mayHoldMore, lostReadsAsZero, read };
    const versions = checkAtRest(parts);
    counts.check(machine.life!.device!.context.totalCounters());
    evacuating.checkAtRest(versions);
    byHand.checkAtRest();
    emptying.checkAtRest();
    settings.checkAtRest();
    faultParts.old.remember();
  }

  carryOut({ kind }: RestStep | QuietStep | RecordingStep): void {
    if (kind === 'rest') return this.#rest();
    const { settlePeriodMs } = this.#parts.scenario;
    const patienceMs = QUIET_PERIODS * (settlePeriodMs + SETTLING_MS);
    this.#lives.settle();
    if (kind === 'quiet') this.#waitForRecord(patienceMs);
    else this.#waitForRecording(patienceMs);
  }

  /** What was copied to another disk is recorded after a while in which nothing changes. */
  #waitForRecord(patienceMs: number): void {
    const { evacuating } = this.#parts;
    this.#pass(patienceMs * 1000);
    this.#lives.settle();
    evacuating.checkRecorded();
  }

  /** So much time, and not what an interrupted thread sleeps for in between: the clock may leap then. */
  #pass(durationUs: number): void {
    const { clock } = this.#parts.machine;
    let leftUs = durationUs;
    for (let dueUs = clock.nextAtUs - clock.nowUs; dueUs <= leftUs; dueUs = clock.nextAtUs - clock.nowUs) {
      leftUs -= dueUs;
      clock.fireNext();
    }
    clock.advance(leftUs / 1000);
  }

  /** The other disk is flushed for it just now, or it is recorded already. */
  #waitForRecording(patienceMs: number): void {
    const { clock, bystander } = this.#parts.machine;
    const endUs = clock.nowUs + patienceMs * 1000;
    while (bystander?.isFlushing === false && clock.nextAtUs <= endUs) clock.fireNext();
  }

  /** Counters are saved every so often, where all spares take what is written. */
  #waitForSaving(): void {
    const { machine, scenario, settings, excuses, counts } = this.#parts;
    const periodSeconds = settings.savingPeriodSeconds;
    if (periodSeconds === undefined || scenario.replacementBytes !== undefined) return;
    machine.clock.advance((periodSeconds + 1) * 1000);
    this.#lives.settle();
    if (excuses.hadFlushFailure || excuses.hadOutage) return;
    counts.checkSaved(readExisting(machine.spareBytes).superblock.counters);
  }

  /** What was acknowledged and flushed survives a clean stop and a power cut. */
  finish(): void {
    this.#rest();
    this.#waitForSaving();
    this.#lives.stop();
    this.#lives.end('powerCut');
    this.#lives.start([]);
    this.#rest();
  }
}

/** More than a part has to be unchanged for (`SettledParts`). */
const QUIET_PERIODS = 12;
/** What it takes to flush and to write a superblock. */
const SETTLING_MS = 500;
