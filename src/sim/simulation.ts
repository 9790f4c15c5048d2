import { unreachable } from '../base/assert.js';
import { withAtomicSteps } from './atomic-steps.js';
import { fillBlock, Version } from './block-pattern.js';
import { changeSpares } from './commands/change-spares.js';
import { CuttingOver } from './commands/cutting-over.js';
import { Leaving } from './commands/leaving.js';
import { runOffline } from './commands/offline.js';
import { Scrubbing } from './commands/scrubbing.js';
import { Turns } from './commands/turns.js';
import type { FaultStep, HandOverStep, RequestStep, Step } from './history.js';
import { fillWithOther } from './impostor.js';
import { injectFault } from './inject-fault.js';
import { Lives } from './lives.js';
import { Rests } from './rests.js';
import { makeRunParts, type RunParts } from './run-parts.js';
import type { Scenario } from './scenario.js';
import type { Statistics } from './statistics.js';
import { WeakUnits } from './weak-units.js';

/** Carries out one history on one machine. Throws `CheckFailure`, or whatever the product throws. */
export class Simulation {
  readonly #parts: RunParts;
  readonly #lives: Lives;
  readonly #scrubbing: Scrubbing;
  readonly #rests: Rests;
  readonly #cuttingOver: CuttingOver;
  readonly #leaving: Leaving;
  readonly #weakUnits: WeakUnits;
  readonly #turns: Turns;

  constructor(scenario: Scenario, seed: number, statistics: Statistics, log?: (line: string) => void) {
    this.#parts = makeRunParts(scenario, seed, statistics, log);
    this.#lives = new Lives(this.#parts);
    this.#scrubbing = new Scrubbing(this.#parts, this.#lives);
    this.#rests = new Rests(this.#parts, this.#lives, this.#scrubbing);
    this.#cuttingOver = new CuttingOver(this.#parts, this.#lives, (request) => this.#request(request));
    this.#leaving = new Leaving(this.#parts, this.#lives);
    this.#weakUnits = new WeakUnits(this.#parts, this.#lives);
    this.#turns = new Turns(this.#parts, this.#lives);
  }

  /** False where the scenario's sizes make no set. */
  run(steps: readonly Step[]): boolean {
    const { machine, scenario, statistics } = this.#parts;
    this.#fillMain();
    if (!machine.format()) return false;
    if (scenario.hasRaces)
      withAtomicSteps(
        () => this.#interrupt(),
        () => this.#carryOutAll(steps),
      );
    else this.#carryOutAll(steps);
    statistics.runs += 1;
    statistics.events += machine.clock.firedCount;
    statistics.virtualSeconds += machine.clock.nowUs / 1_000_000;
    return true;
  }

  #fillMain(): void {
    const { machine, model, scenario } = this.#parts;
    const { blockBytes } = scenario;
    const main = machine.disks[0]!;
    for (let block = 0; block < model.blockCount; block += 1)
      fillBlock(main.contents, main.view, block * blockBytes, blockBytes, block, Version.initial);
    if (machine.bystander !== undefined) fillWithOther(machine.bystander, blockBytes);
  }

  #carryOutAll(steps: readonly Step[]): void {
    this.#lives.start([]);
    const { machine, holding } = this.#parts;
    for (const step of steps) {
      this.#carryOut(step);
      // Where threads are interrupted, minutes may pass for one of them.
      if (!machine.scenario.hasRaces) holding.check(machine.life!);
    }
    this.#rests.finish();
  }

  /** A thread is about to look at what others see, too: they may come first. */
  #interrupt(): void {
    const { random } = this.#parts.machine;
    if (random.chance(1, 8)) this.#parts.events.fireSoon(1 + random.below(4));
  }

  #carryOut(step: Step): void {
    const { log, events, machine, byHand, shifting, emptying, evacuating, held, settings } = this.#parts;
    if (log !== undefined && step.kind !== 'request') log(JSON.stringify(step));
    switch (step.kind) {
      case 'request':
        return this.#request(step);
      case 'run':
        return events.run(step);
      case 'wait':
        return machine.clock.advance(step.ms);
      case 'crash':
        return this.#lives.crash(step);
      case 'handOver':
        return this.#handOver(step);
      case 'rest':
      case 'quiet':
      case 'recording':
        return this.#rests.carryOut(step);
      case 'weak':
        return this.#weakUnits.read(step);
      case 'scrub':
        return this.#scrubbing.begin(step);
      case 'hand':
        byHand.begin(step);
        return events.fire(step.events);
      case 'shift':
        shifting.begin(step);
        return events.fire(step.events);
      case 'turns':
        return this.#turns.carryOut(step);
      case 'empty':
        emptying.begin(step);
        return events.fire(step.events);
      case 'evacuate':
        evacuating.begin(step);
        return events.fire(step.events);
      case 'pauseEvacuation':
      case 'resumeEvacuation':
      case 'acceptLoss':
        evacuating.turn(step);
        return events.fire(step.events);
      case 'cancelEvacuation':
        evacuating.cancel();
        return events.fire(step.events);
      case 'cutOver':
        return this.#cuttingOver.carryOut(step);
      case 'leave':
        return this.#leaving.begin(step);
      case 'set':
        settings.begin(step);
        return events.fire(step.events);
      case 'suspend':
        held.suspend();
        return events.fire(step.events);
      case 'resume':
        held.resume();
        return events.fire(step.events);
      case 'offline':
        return this.#lives.without(step.how, (parts) => runOffline(parts, step));
      case 'spares':
        return this.#lives.without(step.how, (parts) => changeSpares(parts, step));
      case 'bad':
      case 'heal':
      case 'passing':
      case 'flushFails':
      case 'vanish':
      case 'comeBack':
      case 'metadata':
        return this.#goWrong(step);
      default:
        return unreachable(step);
    }
  }

  #goWrong(step: FaultStep): void {
    const { statistics, faultParts } = this.#parts;
    statistics.faults += 1;
    if (step.kind === 'vanish') statistics.outages += 1;
    injectFault(faultParts, step);
  }

  #handOver({ requests, interruption }: HandOverStep): void {
    this.#lives.handOver(interruption, () => {
      for (const request of requests) this.#request(request);
    });
  }

  #request(step: RequestStep): void {
    const { client, events, machine, faultParts } = this.#parts;
    events.untilSoon(() => client.canSend);
    const served = machine.served();
    // All that may be in flight waits for a device that is gone.
    if (!client.canSend || served.length === 0) return;
    const { device, actor } = served[step.queue % served.length]!;
    client.send(faultParts.aim.resolve(step), device, actor);
    events.fire(step.events);
  }
}
