import { unreachable } from '../base/assert.js';
import type { DeviceEvent } from '../device/device-event.js';
import { Aim } from './aim.js';
import { withAtomicSteps } from './atomic-steps.js';
import { BlockModel } from './block-model.js';
import { fillBlock, Version } from './block-pattern.js';
import { checkAtRest } from './check-at-rest.js';
import { check } from './check-failure.js';
import { checkIntruder } from './check-intruder.js';
import { Client, type ReadResult } from './client.js';
import type { OfflineStep, ScrubStep } from './commands/command-step.js';
import { runOffline } from './commands/offline.js';
import { checkScrub } from './commands/scrub.js';
import { Excuses } from './excuses.js';
import { freeUnitCount } from './free-units.js';
import { GrowingNumbers } from './growing-numbers.js';
import { hideWrite, showHidden } from './hidden-write.js';
import type { CrashStep, RequestStep, RunStep, Step } from './history.js';
import { type FaultParts, injectFault } from './inject-fault.js';
import { Ledger } from './ledger.js';
import { Machine } from './machine.js';
import { OldBytes } from './old-bytes.js';
import { Outages } from './outages.js';
import { Random } from './random.js';
import type { Scenario } from './scenario.js';
import { SimClock } from './sim-clock.js';
import type { Statistics } from './statistics.js';

/** Carries out one history on one machine. Throws `CheckFailure`, or whatever the product throws. */
export class Simulation {
  readonly #scenario: Scenario;
  readonly #machine: Machine;
  readonly #model: BlockModel;
  readonly #excuses = new Excuses();
  readonly #ledger: Ledger;
  readonly #client: Client;
  readonly #outages: Outages;
  readonly #faultParts: FaultParts;
  readonly #growing = new GrowingNumbers();
  readonly #statistics: Statistics;
  /** Of the last scrub. */
  #scrubReport: number | undefined;
  readonly #log: ((line: string) => void) | undefined;

  constructor(scenario: Scenario, seed: number, statistics: Statistics, log?: (line: string) => void) {
    this.#scenario = scenario;
    this.#statistics = statistics;
    this.#log = log;
    const { blockBytes, unitBytes, mainBytes } = scenario;
    this.#model = new BlockModel(Math.floor(mainBytes / blockBytes));
    const clock = new SimClock();
    const excuses = this.#excuses;
    const parts = { blockBytes, unitBytes, model: this.#model, clock, excuses, statistics, log };
    this.#ledger = new Ledger(parts);
    const machine = new Machine(scenario, new Random(seed, EXECUTION_STREAM), clock, this.#ledger);
    this.#machine = machine;
    this.#outages = new Outages(machine, this.#ledger, this.#excuses);
    this.#faultParts = {
      ...{ machine, ledger: this.#ledger, outages: this.#outages, excuses },
      ...{ old: new OldBytes(machine), aim: new Aim(machine) },
    };
    this.#client = new Client({
      ...{ scenario, model: this.#model, excuses, clock, statistics, log },
      mayRefuseWrites: () =>
        this.#ledger.unwritableOnSpares >= MANY_BAD_UNITS || this.#isSuspendedForOutage(),
      mayBeFull: () =>
        this.#excuses.hadFlushFailure || this.#excuses.hadOutage || freeUnitCount(machine) <= FEW_UNITS,
    });
  }

  /** False where the scenario's sizes make no set. */
  run(steps: readonly Step[]): boolean {
    const { disks, clock } = this.#machine;
    const { blockBytes } = this.#scenario;
    const main = disks[0]!;
    for (let block = 0; block < this.#model.blockCount; block += 1)
      fillBlock(main.contents, main.view, block * blockBytes, blockBytes, block, Version.initial);
    if (!this.#machine.format()) return false;
    if (this.#scenario.hasRaces)
      withAtomicSteps(
        () => this.#interrupt(),
        () => this.#carryOutAll(steps),
      );
    else this.#carryOutAll(steps);
    this.#statistics.runs += 1;
    this.#statistics.events += clock.firedCount;
    this.#statistics.virtualSeconds += clock.nowUs / 1_000_000;
    return true;
  }

  #carryOutAll(steps: readonly Step[]): void {
    this.#start([]);
    for (const step of steps) this.#carryOut(step);
    this.#finish();
  }

  /** A thread is about to look at what others see, too: they may come first. */
  #interrupt(): void {
    const { random } = this.#machine;
    if (random.chance(1, 8)) this.#fire(1 + random.below(4));
  }

  #carryOut(step: Step): void {
    if (this.#log !== undefined && step.kind !== 'request') this.#log(JSON.stringify(step));
    switch (step.kind) {
      case 'request':
        return this.#request(step);
      case 'run':
        return this.#run(step);
      case 'wait':
        return this.#machine.clock.advance(step.ms);
      case 'crash':
        return this.#crash(step);
      case 'rest':
        return this.#rest();
      case 'scrub':
        return this.#scrub(step);
      case 'offline':
        return this.#offline(step);
      case 'bad':
      case 'heal':
      case 'passing':
      case 'flushFails':
      case 'vanish':
      case 'comeBack':
      case 'metadata':
        this.#statistics.faults += 1;
        if (step.kind === 'vanish') this.#statistics.outages += 1;
        return injectFault(this.#faultParts, step);
      default:
        return unreachable(step);
    }
  }

  #request(step: RequestStep): void {
    for (let tries = 0; !this.#client.canSend && tries < PATIENCE_EVENTS; tries += 1) this.#fire(1);
    const served = this.#machine.life!.served();
    // All that may be in flight waits for a device that is gone.
    if (!this.#client.canSend || served.length === 0) return;
    const { device, actor } = served[step.queue % served.length]!;
    this.#client.send(this.#faultParts.aim.resolve(step), device, actor);
    this.#fire(step.events);
  }

  /** A spare that was gone when a unit was to be placed on it is left alone for a while after it is back. */
  #isSuspendedForOutage(): boolean {
    const { life, clock, scenario } = this.#machine;
    const { suspension } = life!.device!.context;
    return (
      this.#excuses.hadOutage &&
      scenario.spareBytes.some((_, spareIndex) => suspension.isSuspended(spareIndex, clock.nowMs()))
    );
  }

  #fire(events: number): void {
    for (let count = 0; count < events; count += 1) if (!this.#machine.clock.fireNext()) return;
  }

  /** So many events happen, perhaps from when metadata is being written. */
  #run({ events, fromMetadataWrite }: Pick<RunStep, 'events' | 'fromMetadataWrite'>): void {
    const { disks } = this.#machine;
    const isWriting = (): boolean => disks.some((disk) => disk.metadataWrites.length > 0);
    for (let count = 0; fromMetadataWrite && count < PATIENCE_EVENTS && !isWriting(); count += 1)
      this.#fire(1);
    this.#fire(events);
  }

  #crash(step: CrashStep): void {
    if (step.how === 'stop') this.#stop();
    else {
      const hidden = step.hides ? hideWrite(this.#machine) : undefined;
      this.#end(step.how);
      hidden?.();
    }
    if (step.intruder !== 'none') checkIntruder(this.#faultParts, step.intruder);
    this.#start(step.interruptions);
  }

  #offline(step: OfflineStep): void {
    if (step.how === 'stop') this.#stop();
    else this.#end(step.how);
    const end = (how: 'kill' | 'powerCut'): void => this.#end(how);
    runOffline({ ...this.#faultParts, statistics: this.#statistics, growing: this.#growing, end }, step);
    this.#outages.endOfLife();
    this.#start([]);
  }

  #scrub({ isAlone, events }: ScrubStep): void {
    if (isAlone) {
      this.#settle();
      this.#endScrubs();
      return checkScrub(this.#machine, () => this.#scrubToEnd());
    }
    this.#statistics.scrubs += 1;
    this.#ledger.noteScrub();
    this.#machine.life!.scrub();
    this.#fire(events);
  }

  /** Answers what is reported. */
  #scrubToEnd(): number {
    this.#statistics.scrubs += 1;
    this.#scrubReport = undefined;
    this.#machine.life!.scrub();
    this.#endScrubs();
    check(this.#scrubReport !== undefined, 'scrub', 'a scrub ends without a report');
    return this.#scrubReport;
  }

  #endScrubs(): void {
    const life = this.#machine.life!;
    this.#fireUntil(() => life.scrubsUnderWay === 0 && life.device!.isIdle, REST_MS, 'a scrub');
  }

  /** The process, or the power, goes away. */
  #end(how: 'kill' | 'powerCut'): void {
    this.#client.forget();
    showHidden(this.#machine);
    if (how === 'kill') {
      this.#statistics.kills += 1;
      this.#machine.kill();
      this.#model.crash();
    } else {
      this.#statistics.powerCuts += 1;
      this.#machine.powerCut();
      this.#model.powerCut();
    }
    this.#outages.endOfLife();
  }

  #start(interruptions: CrashStep['interruptions']): void {
    for (const interruption of interruptions) {
      this.#begin(false);
      this.#run(interruption);
      this.#end(interruption.how);
    }
    for (let attempts = 0; attempts < 4; attempts += 1) {
      const state = this.#begin(attempts > 0 && this.#outages.spareMayLag);
      this.#fireUntil(() => state.state.kind !== 'starting', START_MS, 'the start');
      const { kind } = state.state;
      if (kind === 'open') {
        this.#outages.spareMayLag = false;
        return;
      }
      const why = JSON.stringify(state.state, shorten);
      const mayFail =
        kind === 'unwritable' ? this.#excuses.hadFlushFailure : attempts === 0 && this.#outages.spareMayLag;
      check(mayFail, 'assembly', `the set can't be started again: ${why}`);
      this.#end('kill');
    }
    check(false, 'assembly', 'the set can not be started however often it is tried');
  }

  #begin(force: boolean): NonNullable<Machine['life']> {
    this.#statistics.recoveries += 1;
    this.#excuses.newLife();
    this.#ledger.newLife();
    return this.#machine.start(force, (event) => this.#hear(event));
  }

  #stop(): void {
    this.#settle();
    const life = this.#machine.life!;
    const { flushFailureCount } = life.device!;
    const flush = this.#model.beginFlush();
    life.stop();
    this.#fireUntil(() => life.state.kind === 'stopped', REST_MS, 'a stop');
    const isClean = life.state.kind === 'stopped' && life.state.isClean;
    check(isClean || this.#excuses.hadFlushFailure, 'assembly', 'a stop with nothing in hand is clean');
    if (isClean && this.#client.mayTrustStop(flushFailureCount)) this.#model.endFlush(flush);
    this.#statistics.stops += 1;
    this.#end('kill');
  }

  /** Everything comes back, and to its end. */
  #settle(): void {
    const { life } = this.#machine;
    this.#outages.endAll();
    this.#fireUntil(() => this.#client.pendingCount === 0, REST_MS, 'a request');
    const device = life!.device!;
    this.#fireUntil(() => device.isIdle && device.goneDevices.length === 0, REST_MS, 'a device that is back');
    if (life!.isCutOff) {
      // Nobody has noticed yet that a disk came back under another name, and nobody would while nothing is sent.
      this.#end('kill');
      this.#start([]);
      this.#fireUntil(() => this.#machine.life!.device!.isIdle, REST_MS, 'a start');
    }
    this.#excuses.noteAllBack(this.#machine.clock.nowUs);
  }

  #rest(): void {
    this.#statistics.rests += 1;
    this.#settle();
    this.#endScrubs();
    checkAtRest({
      machine: this.#machine,
      model: this.#model,
      ledger: this.#ledger,
      excuses: this.#excuses,
      growing: this.#growing,
      read: (first, count) => this.#readNow(first, count),
    });
    this.#faultParts.old.remember();
  }

  #readNow(first: number, count: number): ReadResult {
    const { device, actor } = this.#machine.life!.served()[0]!;
    return this.#client.readAlone(first, count, device, actor, () =>
      this.#fireUntil(() => this.#client.pendingCount === 0, REST_MS, 'a read'),
    );
  }

  /** What was acknowledged and flushed survives a clean stop and a power cut. */
  #finish(): void {
    this.#rest();
    this.#stop();
    this.#end('powerCut');
    this.#start([]);
    this.#rest();
  }

  #hear(event: DeviceEvent): void {
    this.#log?.(`* ${JSON.stringify(event)}`);
    if (event.kind === 'metadataScrubbed') this.#scrubReport = event.repairedBlocks;
    if (event.kind === 'remapped') this.#statistics.moves += 1;
    if (event.kind === 'lost') this.#statistics.lostBlocks += 1;
    if (event.kind === 'spareBack') this.#ledger.forgetMissed(1 + event.spareIndex);
    if (event.kind === 'returnRefused' && event.refusal.kind === 'contentDiffers') {
      const isRight = this.#machine.life?.surroundings.hasRefusedIt !== true || this.#ledger.mainHasReverted;
      check(isRight, 'refusedOwnDevice', 'the main device is back, unchanged, and is taken for another');
    }
  }

  #fireUntil(isDone: () => boolean, limitMs: number, what: string): void {
    const { clock } = this.#machine;
    const endUs = clock.nowUs + limitMs * 1000;
    while (!isDone()) {
      const goesOn = clock.nowUs < endUs && clock.fireNext();
      check(goesOn, 'hangs', `${what} has not come to an end: ${this.#client.describePending()}`);
    }
  }
}

function shorten(key: string, value: unknown): unknown {
  return key === 'choice' || key === 'setIds' ? undefined : value;
}

const EXECUTION_STREAM = 1;
/** Events that a request waits for room. */
const PATIENCE_EVENTS = 400;
/** Virtual time that anything may take when all devices are there: slow disks and many retries. */
const REST_MS = 900_000;
const START_MS = 900_000;
/** A spare that refuses so many units in a row is left alone for a while (docs/error-policy.md). */
const MANY_BAD_UNITS = 16;
/** Places that procedures under way may have taken. */
const FEW_UNITS = 40;
