import { placesOf } from './check-at-rest.js';
import { check } from './check-failure.js';
import { checkIntruder } from './check-intruder.js';
import type { OfflineParts } from './commands/offline-session.js';
import { hideWrite, showHidden } from './hidden-write.js';
import type { CrashStep, HandOverStep } from './history.js';
import { injectFault } from './inject-fault.js';
import type { Life } from './life.js';
import { readExisting } from './metadata-reader.js';
import type { RunParts } from './run-parts.js';

/** The processes that serve the set, one after the other: how each ends, and how the next one starts. */
export class Lives {
  readonly #parts: RunParts;

  constructor(parts: RunParts) {
    this.#parts = parts;
  }

  crash(step: CrashStep): void {
    const { machine, faultParts } = this.#parts;
    if (step.how === 'stop') this.stop(step.flushFails);
    else {
      const hidden = step.hides ? hideWrite(machine) : undefined;
      this.end(step.how);
      hidden?.();
    }
    if (step.intruder !== 'none') checkIntruder(faultParts, step.intruder);
    this.start(step.interruptions);
  }

  /** `act` is done while no process is at work; the next starts are cut off as `interruptions` say. */
  without(
    how: CrashStep['how'],
    act: (parts: OfflineParts) => void,
    interruptions: CrashStep['interruptions'] = [],
  ): void {
    const { outages } = this.#parts;
    if (how === 'stop') this.stop();
    else this.end(how);
    act(this.#offlineParts);
    outages.endOfLife();
    this.start(interruptions);
  }

  get #offlineParts(): OfflineParts {
    const { faultParts, statistics, growing, settings } = this.#parts;
    return { ...faultParts, statistics, growing, settings, end: (how) => this.end(how) };
  }

  /** The process, or the power, goes away. */
  end(how: 'kill' | 'powerCut'): void {
    const { machine, statistics, outages } = this.#parts;
    this.#ending();
    if (how === 'kill') {
      statistics.kills += 1;
      machine.kill();
      this.#loseRequests(false);
    } else {
      statistics.powerCuts += 1;
      machine.powerCut();
      this.#parts.client.forget();
      this.#parts.model.powerCut();
      this.#parts.evacuating.noteRestart();
    }
    outages.endOfLife();
  }

  /**
   * The process ends in order, with requests in hand, and the next one goes on. `meanwhile`: things that clients do; `change`
   * is done while no process is at work.
   */
  handOver(
    interruption: HandOverStep['interruption'],
    meanwhile: () => void,
    change: (parts: OfflineParts) => void = () => {},
    interruptions: CrashStep['interruptions'] = [],
  ): void {
    const { machine, events, held, excuses, outages, statistics } = this.#parts;
    statistics.handOvers += 1;
    held.resume();
    const life = machine.life!;
    life.handOver();
    meanwhile();
    if (interruption !== undefined) {
      events.fire(interruption.events);
      this.end(interruption.how);
    } else {
      events.until(() => life.state.kind === 'stopped', 'a hand-over');
      const isClean = life.state.kind === 'stopped' && life.state.isClean;
      const mayFail = excuses.hadFlushFailure || excuses.hadOutage;
      check(isClean || mayFail, 'assembly', 'a hand-over is a clean stop');
      this.#ending();
      life.leaveToNext();
      machine.leave();
      this.#loseRequests(true);
      outages.endOfLife();
      change(this.#offlineParts);
    }
    this.start(interruptions);
  }

  /** Those of a block device wait for the next process; `isToldOfAll`: see `BlockModel.goesOn`. */
  #loseRequests(isToldOfAll: boolean): void {
    const { machine, client, model } = this.#parts;
    if (machine.blockDevice === undefined) {
      client.forget();
      model.crash();
    } else {
      model.goesOn(isToldOfAll);
      client.goesOn();
    }
  }

  #ending(): void {
    const { byHand, shifting, emptying, evacuating, held, settings, machine } = this.#parts;
    byHand.forget();
    evacuating.forget();
    shifting.forget();
    emptying.forget();
    held.forget();
    settings.forget();
    showHidden(machine);
  }

  start(interruptions: CrashStep['interruptions']): void {
    const { events, outages, excuses, settings } = this.#parts;
    for (const interruption of interruptions) {
      this.#begin(false);
      events.run(interruption);
      this.end(interruption.how);
    }
    for (let attempts = 0; attempts < 4; attempts += 1) {
      const state = this.#begin(attempts > 0 && outages.spareMayLag);
      events.until(() => state.state.kind !== 'starting', 'the start');
      const { kind } = state.state;
      if (kind === 'open') {
        outages.spareMayLag = false;
        settings.checkStarted();
        return this.#started();
      }
      const why = JSON.stringify(state.state, shorten);
      const mayFail = kind === 'unwritable' ? excuses.hadFlushFailure : attempts === 0 && outages.spareMayLag;
      check(mayFail, 'assembly', `the set can't be started again: ${why}`);
      this.end('kill');
    }
    check(false, 'assembly', 'the set can not be started however often it is tried');
  }

  /** The set is at work, durably. */
  #started(): void {
    const { mainChange, ledger, byHand, evacuating, machine, told, placesLeft, counts } = this.#parts;
    const counters = machine.life!.device!.context.totalCounters();
    const found = readExisting(machine.spareBytes);
    told.started(found, counters);
    placesLeft.started(found);
    // What was asked of the process before is asked of this one again.
    if (machine.blockDevice === undefined) counts.begin(counters);
    if (mainChange.end()) {
      ledger.newMain(placesOf(found).keys());
      byHand.newMain();
    }
    evacuating.resume();
  }

  stop(flushFails?: CrashStep['flushFails']): void {
    this.settle();
    if (flushFails !== undefined) injectFault(this.#parts.faultParts, { kind: 'flushFails', ...flushFails });
    const { machine, model, events, excuses, client, statistics, counts } = this.#parts;
    const life = machine.life!;
    const mayTrust = client.mayTrustStop(life.device!.flushFailureCount) && !life.hasUntoldFailure;
    const flush = model.beginFlush();
    life.stop();
    events.until(() => life.state.kind === 'stopped', 'a stop');
    const isClean = life.state.kind === 'stopped' && life.state.isClean;
    check(isClean || excuses.hadFlushFailure, 'assembly', 'a stop with nothing in hand is clean');
    if (isClean && mayTrust) model.endFlush(flush);
    if (isClean) counts.checkSaved(readExisting(machine.spareBytes).superblock.counters);
    statistics.stops += 1;
    this.#parts.evacuating.noteRestart();
    this.end('kill');
  }

  /** Everything comes back, and to its end. */
  settle(): void {
    const {
      machine,
      outages,
      held,
      events,
      client,
      byHand,
      shifting,
      emptying,
      settings,
      excuses,
      evacuating,
    } = this.#parts;
    const { life } = machine;
    outages.endAll();
    held.resume();
    evacuating.unpause();
    events.until(() => client.pendingCount === 0, 'a request');
    const commands = [byHand, shifting, emptying, settings, evacuating];
    const commandCount = (): number => commands.reduce((count, { pendingCount }) => count + pendingCount, 0);
    events.until(() => commandCount() === 0, 'a command');
    const device = life!.device!;
    events.until(() => device.isIdle && device.goneDevices.length === 0, 'a device that is back');
    if (life!.isCutOff) {
      // Nobody has noticed yet that a disk came back under another name, and nobody would while nothing is sent.
      this.end('kill');
      this.start([]);
      events.until(() => machine.life!.device!.isIdle, 'a start');
    }
    events.until(() => evacuating.isSettled && machine.life!.device!.isIdle, 'copying to another disk');
    excuses.noteAllBack(machine.clock.nowUs);
  }

  #begin(force: boolean): Life {
    const { statistics, excuses, ledger, machine, heard, told, placesLeft, counts } = this.#parts;
    statistics.recoveries += 1;
    this.#parts.mainChange.settle();
    excuses.newLife();
    ledger.newLife();
    told.newLife();
    placesLeft.newLife();
    counts.forget();
    return machine.start(force, (event) => heard.hear(event));
  }
}

function shorten(key: string, value: unknown): unknown {
  return key === 'choice' || key === 'setIds' ? undefined : value;
}
