import { assert, unreachable } from '../base/assert.js';
import { type DescriptorChange, type Effect, type Procedure, REPLACEMENT } from '../engine/effect.js';
import type { BlockStore } from '../ports/block-store.js';
import type { Scheduler } from '../ports/scheduler.js';
import { FlushTurns } from './flush-turns.js';

/**
 * Carries out what procedures ask for, on the stores of one device, and resumes them with the outcome. Cold path:
 * one object per effect is fine here.
 */
export class EffectRunner {
  readonly #options: RunnerOptions;
  readonly #answers: Array<((result: number) => void) | undefined>;
  readonly #freeTickets: number[] = [];
  /** Of the target `REPLACEMENT`, while there is one. Nothing is in flight on it when it changes. */
  replacement: BlockStore | undefined;
  /** I/O that waits for a ticket. */
  readonly #postponed: Array<() => void> = [];
  readonly #flushTurns: FlushTurns;
  /** From here on: the flushes themselves, by target. */
  readonly #firstFlushTicket: number;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#answers = new Array(options.ticketCount).fill(undefined);
    for (let index = options.ticketCount - 1; index >= 0; index -= 1) this.#freeTickets.push(index);
    this.#firstFlushTicket = options.firstTicket + options.ticketCount;
    this.#flushTurns = new FlushTurns(
      this.#firstFlushTicket,
      (target) => this.#sendFlush(target),
      (ticket, result) => this.#flushed(ticket, result),
    );
  }

  /** Runs a procedure; `done` is called with its value, possibly before `start` returns. */
  start<Value>(procedure: Procedure<Value>, done: (value: Value) => void): void {
    this.#advance(procedure, undefined, done);
  }

  /** A store has finished the I/O with this ticket. */
  complete(ticket: number, result: number): void {
    if (ticket < this.#firstFlushTicket) this.#answerTicket(ticket, result);
    else this.#flushEnded(ticket - this.#firstFlushTicket, result);
  }

  /** For somebody else, whose tickets are below `firstTicket`: `flushedForOthers` hears of its end. */
  flush(target: number, ticket: number): void {
    assert(this.#options.flushedForOthers !== undefined, 'somebody is to hear of it');
    this.#flushTurns.flush(target, ticket);
  }

  #answerTicket(ticket: number, result: number): void {
    const index = ticket - this.#options.firstTicket;
    const answer = this.#answers[index];
    assert(answer !== undefined, `completion of ticket ${ticket}, which is not in flight`);
    this.#answers[index] = undefined;
    this.#freeTickets.push(index);
    this.#postponed.shift()?.();
    answer(result);
  }

  get isIdle(): boolean {
    return this.#freeTickets.length === this.#options.ticketCount && this.#postponed.length === 0;
  }

  #advance<Value>(procedure: Procedure<Value>, answer: unknown, done: (value: Value) => void): void {
    for (let resumeWith = answer; ; ) {
      const step = procedure.next(resumeWith);
      if (step.done === true) return done(step.value);
      const immediate = this.#begin(step.value, (later) => this.#advance(procedure, later, done));
      if (immediate === undefined) return;
      resumeWith = immediate;
    }
  }

  /** Starts an effect; answers at once where nothing has to be waited for, else calls `answer` later. */
  #begin(effect: Effect, answer: (result: unknown) => void): unknown {
    const { scheduler, services } = this.#options;
    switch (effect.kind) {
      case 'read':
      case 'write':
      case 'flush':
      case 'discard':
      case 'writeZeroes':
        return this.#submit(effect, answer);
      case 'all':
        return this.#beginAll(effect.effects, answer);
      case 'delay':
        scheduler.after(effect.delayMs, () => answer(0));
        return undefined;
      case 'now':
        return scheduler.nowMs();
      case 'wallClock':
        return scheduler.wallClockSeconds();
      case 'lock':
        return services.lock(effect.firstUnit, effect.lastUnit, answer);
      case 'tryLock':
        return services.tryLock(effect.firstUnit, effect.lastUnit);
      case 'unlock':
        services.unlock(effect.lockId);
        return 0;
      case 'commit':
        services.commit(effect.changes, answer);
        return undefined;
      case 'unsettle':
        services.unsettle(effect.parts, answer);
        return undefined;
      default:
        return unreachable(effect);
    }
  }

  #beginAll(effects: readonly Effect[], answer: (results: unknown) => void): unknown {
    const results = new Array<unknown>(effects.length).fill(0);
    let missing = effects.length;
    let started = false;
    const arrived = (index: number, result: unknown): void => {
      results[index] = result;
      missing -= 1;
      if (missing === 0 && started) answer(results);
    };
    for (const [index, effect] of effects.entries()) {
      const immediate = this.#begin(effect, (result) => arrived(index, result));
      if (immediate !== undefined) arrived(index, immediate);
    }
    started = true;
    return missing === 0 ? results : undefined;
  }

  #submit(effect: StoreEffect, answer: (result: number) => void): undefined {
    const index = this.#freeTickets.pop();
    if (index === undefined) {
      this.#postponed.push(() => this.#submit(effect, answer));
      return;
    }
    const { services, firstTicket } = this.#options;
    this.#answers[index] = (result) => {
      const changesSet = effect.target !== REPLACEMENT && isWrite(effect);
      if (changesSet && result >= 0) services.noteWritten(effect.target);
      answer(result);
    };
    if (effect.kind === 'flush') this.#flushTurns.flush(effect.target, firstTicket + index);
    else submitTo(this.#storeOf(effect.target), firstTicket + index, effect);
  }

  #sendFlush(target: number): void {
    if (target !== REPLACEMENT) this.#options.services.noteFlushStarted(target);
    this.#storeOf(target).flush(this.#firstFlushTicket + target);
  }

  #flushEnded(target: number, result: number): void {
    if (target !== REPLACEMENT) this.#options.services.noteFlushEnded(target, result >= 0);
    this.#flushTurns.ended(target, result);
  }

  #flushed(ticket: number, result: number): void {
    if (ticket >= this.#options.firstTicket) this.#answerTicket(ticket, result);
    else this.#options.flushedForOthers!(ticket, result);
  }

  #storeOf(target: number): BlockStore {
    const store = target === REPLACEMENT ? this.replacement : this.#options.stores[target];
    assert(store !== undefined, `there is no target ${target}`);
    return store;
  }
}

export interface RunnerOptions {
  /** By target: the main device, then the spares. */
  readonly stores: readonly BlockStore[];
  readonly scheduler: Scheduler;
  /** Tickets from `firstTicket` on are this runner's: `ticketCount` of them, and one for each of `TARGET_COUNT` targets. */
  readonly firstTicket: number;
  readonly ticketCount: number;
  readonly services: RunnerServices;
  /** The end of a flush that somebody else asked for by `flush`: 0 or a negative errno. */
  readonly flushedForOthers?: (ticket: number, result: number) => void;
}

/** What effects need besides stores and time. */
export interface RunnerServices {
  /** The lock's id, or undefined and `granted` is called with it later. */
  lock(firstUnit: number, lastUnit: number, granted: (lockId: number) => void): number | undefined;
  /** The lock's id, or 0. */
  tryLock(firstUnit: number, lastUnit: number): number;
  unlock(lockId: number): void;
  /** Answers later, 0 or a negative errno. */
  commit(changes: readonly DescriptorChange[], done: (result: number) => void): void;
  /** Answers later, 0. */
  unsettle(parts: readonly number[], done: (result: number) => void): void;
  /** A write to this target completed and is not durable yet. */
  noteWritten(target: number): void;
  /** A flush is about to be sent. */
  noteFlushStarted(target: number): void;
  /** Not `succeeded`: what was written before and not flushed since may be gone. */
  noteFlushEnded(target: number, succeeded: boolean): void;
}

type TransferOrRange = Extract<Effect, { kind: 'read' | 'write' | 'discard' | 'writeZeroes' }>;
type StoreEffect = TransferOrRange | Extract<Effect, { kind: 'flush' }>;

/** It has changed what a flush makes durable. */
function isWrite({ kind }: StoreEffect): boolean {
  return kind === 'write' || kind === 'writeZeroes';
}

function submitTo(store: BlockStore, ticket: number, effect: TransferOrRange): void {
  switch (effect.kind) {
    case 'read':
      return store.read(ticket, effect.offsetBytes, effect.lengthBytes, effect.memoryOffset);
    case 'write':
      return store.write(ticket, effect.offsetBytes, effect.lengthBytes, effect.memoryOffset, false);
    case 'discard':
      return store.discard(ticket, effect.offsetBytes, effect.lengthBytes);
    case 'writeZeroes':
      return store.writeZeroes(ticket, effect.offsetBytes, effect.lengthBytes, effect.mayUnmap);
    default:
      return unreachable(effect);
  }
}
