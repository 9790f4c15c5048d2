import type { ColdContext, Scratch } from '../engine/cold-context.js';
import { MAIN, type Procedure, spareTarget } from '../engine/effect.js';
import { spareAnswers } from '../engine/spare-probe.js';
import type { IoMemory } from '../ports/io-memory.js';
import type { Scheduler } from '../ports/scheduler.js';
import type { ContentWatch } from './content-watch.js';
import type { DeviceEvent } from './device-event.js';
import type { EffectRunner } from './effect-runner.js';
import { HeldRequests } from './held-requests.js';
import type { MetadataState } from './metadata-state.js';
import type { MetadataWork, MetadataWriter } from './metadata-writer.js';
import { OutageWatch } from './outage-watch.js';
import type { Outages } from './outages.js';
import { Readmission } from './readmission.js';
import { repairReturned } from './repair-returned.js';
import type { RequestSlots } from './request-slots.js';
import type { FindReturned } from './return-candidate.js';

/**
 * Everything about devices that are gone (P7): it hears of them by events, holds or fails the requests that need them,
 * and takes them back, where they were or under another name.
 */
export class GoneDevices {
  readonly #parts: GoneParts;
  readonly #held: HeldRequests;
  readonly #watch: OutageWatch;
  readonly #readmission: Readmission;
  /** Spares whose store works on another device than before: what they hold of the map has to be looked at. */
  readonly #replaced = new Set<number>();

  constructor(parts: GoneParts) {
    this.#parts = parts;
    this.#held = new HeldRequests(parts);
    this.#readmission = new Readmission({
      ...parts,
      replaced: (target, name) => this.#noteReplaced(target, name),
      refused: (target, name, refusal) => parts.report({ kind: 'returnRefused', target, name, refusal }),
    });
    this.#watch = new OutageWatch({
      ...parts,
      expired: (target) => this.#expire(target),
      failOverdue: () => this.#held.failOverdue(),
      spareAnswered: (spareIndex, done) => this.#bringSpareBack(spareIndex, done),
      findReturned: (target, done) => this.#readmission.find(target, done),
    });
    parts.state.lag.onMissed = (spareIndex) => this.#watch.suspect(spareTarget(spareIndex));
  }

  get isIdle(): boolean {
    return this.#watch.isIdle;
  }

  /** A request with nothing in flight that needs this device: waits or fails. */
  turnAway(slot: number, target: number): void {
    this.#held.turnAway(slot, target);
  }

  /** See `HeldRequests`. */
  takesFailed(slot: number, begunBefore: number): boolean {
    return this.#held.takesFailed(slot, begunBefore);
  }

  /** A request failed in a way that could be any device being gone. */
  suspectAll(): void {
    this.#watch.suspect(MAIN);
    this.#suspectSpares();
  }

  onEvent(event: DeviceEvent): void {
    switch (event.kind) {
      case 'breakerOpened':
        return this.#watch.noteGone(MAIN, event.reason);
      case 'breakerLetsReadsPass':
        // Writes among them wait on.
        this.#held.resume(MAIN);
        return;
      case 'breakerClosed':
        return this.#back(MAIN);
      case 'spareGone':
        this.#parts.context.suspension.suspendUntilBack(event.spareIndex);
        return this.#watch.noteGone(spareTarget(event.spareIndex), 'it answers nowhere any more');
      case 'spareFailed':
        return this.#watch.suspect(spareTarget(event.spareIndex));
      case 'commitFailed':
        return this.#suspectSpares();
      default:
    }
  }

  /** Before the device is closed: nothing waits any more, nothing is looked for. */
  end(): void {
    this.#parts.outages.endWaiting();
    this.#watch.stop();
    this.#held.failAll();
  }

  describe(): readonly GoneDevice[] {
    const { outages } = this.#parts;
    return outages.gone().map((target) => {
      const { reason, sinceSeconds } = outages.of(target)!;
      const heldRequests = this.#held.countFor(target);
      const readsPass = target === MAIN && !this.#parts.context.breaker.stopsReads;
      return {
        target,
        reason,
        sinceSeconds,
        readsPass,
        heldRequests,
        requestsWait: outages.mayWaitFor(target),
      };
    });
  }

  #suspectSpares(): void {
    for (const spareIndex of this.#parts.context.shape.spares.keys())
      this.#watch.suspect(spareTarget(spareIndex));
  }

  #expire(target: number): void {
    const failedRequests = this.#held.failFor(target);
    this.#parts.report({ kind: 'holdExpired', target, failedRequests });
  }

  #back(target: number): void {
    this.#parts.outages.end(target);
    this.#readmission.forget(target);
    const requestCount = this.#held.resume(target);
    if (requestCount > 0) this.#parts.report({ kind: 'heldResumed', target, requestCount });
  }

  /** Alone: a commit that is under way may have missed the spare, and says so only when it has ended. */
  #bringSpareBack(spareIndex: number, done: (isBack: boolean) => void): void {
    const { metadata, context } = this.#parts;
    const finish = (isBack: boolean): void => {
      if (isBack) {
        this.#replaced.delete(spareIndex);
        context.suspension.resume(spareIndex);
        this.#parts.report({ kind: 'spareBack', spareIndex });
        this.#back(spareTarget(spareIndex));
      }
      done(isBack);
    };
    metadata.run((work) => this.#bringUpToDate(work, spareIndex), finish);
  }

  /** As `repairReturned`, where there is anything to repair. */
  *#bringUpToDate(work: MetadataWork, spareIndex: number): Procedure<boolean> {
    const { lag } = work.state;
    const hasMissed = lag.isBehind(spareIndex) || lag.hasIncompleteCopy(spareIndex);
    const isUntouched = !this.#replaced.has(spareIndex) && !hasMissed;
    if (isUntouched && work.context.doubtfulPlaces.size === 0) return true;
    const { context, scratch, recoveryOffset } = this.#parts;
    const answers = (): Procedure<boolean> => spareAnswers(context, scratch, spareIndex);
    return yield* repairReturned(work, spareIndex, recoveryOffset, answers);
  }

  /** What the old device had in its cache may be lost. */
  #noteReplaced(target: number, name: string): void {
    if (target !== MAIN) this.#replaced.add(target - spareTarget(0));
    const mayHaveLost = this.#parts.noteCacheLost(target);
    this.#parts.report({ kind: 'reconnected', target, name, mayHaveLost });
  }
}

export interface GoneDevice {
  readonly target: number;
  readonly reason: string;
  /** Since 1970. */
  readonly sinceSeconds: number;
  /** It takes no writes, and gives what it holds. */
  readonly readsPass: boolean;
  readonly heldRequests: number;
  /** False: they fail, by policy or because it has been gone for too long. */
  readonly requestsWait: boolean;
}

export interface GoneParts {
  readonly context: ColdContext;
  readonly outages: Outages;
  readonly slots: RequestSlots;
  readonly runner: EffectRunner;
  readonly scheduler: Scheduler;
  readonly memory: IoMemory;
  readonly scratch: Scratch;
  readonly recoveryOffset: number;
  readonly state: MetadataState;
  readonly metadata: MetadataWriter;
  readonly content: ContentWatch | undefined;
  readonly findReturned: FindReturned | undefined;
  /** Begins a request that has nothing in flight, from the start. */
  readonly begin: (slot: number) => void;
  readonly answer: (slot: number, errno: number) => void;
  /** The target's store works on another device. True if writes that were acknowledged may be lost. */
  readonly noteCacheLost: (target: number) => boolean;
  readonly report: (event: DeviceEvent) => void;
}
