import type { ColdContext } from '../engine/cold-context.js';
import { Counter, count } from '../engine/counters.js';
import type { DescriptorChange, Procedure } from '../engine/effect.js';
import type { Superblock } from '../format/superblock.js';
import type { IoMemory } from '../ports/io-memory.js';
import type { EffectRunner } from './effect-runner.js';
import type { ColdMemory } from './memory-map.js';
import type { MetadataState } from './metadata-state.js';
import { writeDescriptors } from './write-descriptors.js';

/**
 * The only writer of a set's metadata while it is open. Everything that arrives while one commit is on its way goes
 * into the next one, so that many relocations at once share two flushes.
 */
export class MetadataWriter {
  readonly #work: MetadataWork;
  readonly #runner: EffectRunner;
  #queued: QueuedCommit[] = [];
  /** Commits that failed: each is tried once more by itself, so that neither a moment nor another's bad spare fails it. */
  readonly #toTrySingly: QueuedCommit[] = [];
  #queuedProcedures: Array<() => void> = [];
  #busy = false;
  /** Called with changes that are durable and published. */
  onCommitted: (changes: readonly DescriptorChange[]) => void = () => {};

  constructor(
    state: MetadataState,
    context: ColdContext,
    runner: EffectRunner,
    memory: IoMemory,
    coldMemory: ColdMemory,
  ) {
    this.#work = { state, context, memory, bufferOffset: coldMemory.commitOffset };
    this.#runner = runner;
  }

  get superblock(): Superblock {
    return this.#work.state.superblock;
  }

  /** See `MetadataState`. */
  set dropsCopyPosition(drops: boolean) {
    this.#work.state.dropsCopyPosition = drops;
  }

  get isIdle(): boolean {
    return !this.#busy;
  }

  /** Makes descriptor changes durable and publishes them; `done` gets 0 or a negative errno, later. */
  commit(changes: readonly DescriptorChange[], done: (result: number) => void): void {
    this.#queued.push({ changes, done });
    this.#next();
  }

  /** Runs a procedure that writes metadata, alone; `done` gets its value, later. */
  run<Value>(procedureOf: (work: MetadataWork) => Procedure<Value>, done: (value: Value) => void): void {
    this.#queuedProcedures.push(() =>
      this.#runner.start(procedureOf(this.#work), (value) => this.#finish(() => done(value))),
    );
    this.#next();
  }

  /** Nothing is written to the set from when `task` is called until it calls `release`. */
  pause(task: (release: () => void) => void): void {
    this.#queuedProcedures.push(() => task(() => this.#finish(() => {})));
    this.#next();
  }

  #next(): void {
    if (this.#busy) return;
    if (this.#toTrySingly.length > 0) {
      this.#busy = true;
      this.#runCommit([this.#toTrySingly.shift()!], true);
    } else if (this.#queued.length > 0) {
      this.#busy = true;
      this.#runCommit(this.#queued.splice(0), false);
    } else if (this.#queuedProcedures.length > 0) {
      this.#busy = true;
      this.#queuedProcedures.shift()!();
    }
  }

  #runCommit(batch: readonly QueuedCommit[], isLastTry: boolean): void {
    count(this.#work.context.counters, Counter.metadataCommits);
    const changes = batch.flatMap((commit) => commit.changes);
    this.#runner.start(writeDescriptors(this.#work, changes), (result) =>
      this.#finish(() => {
        if (result === 0) this.onCommitted(changes);
        if (result < 0 && !isLastTry) this.#toTrySingly.push(...batch);
        else for (const commit of batch) commit.done(result);
      }),
    );
  }

  #finish(tell: () => void): void {
    this.#busy = false;
    tell();
    this.#next();
  }
}

/** What the procedures that write metadata work on. */
export interface MetadataWork {
  readonly state: MetadataState;
  readonly context: ColdContext;
  readonly memory: IoMemory;
  /** Room for `MAX_COMMIT_PAGES` pages of each copy. */
  readonly bufferOffset: number;
}

interface QueuedCommit {
  readonly changes: readonly DescriptorChange[];
  readonly done: (result: number) => void;
}
