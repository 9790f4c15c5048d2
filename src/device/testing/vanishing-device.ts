import { assert } from '../../base/assert.js';
import { ERRNO } from '../../base/errno.js';
import type { CompletionSink } from '../../ports/block-store.js';
import { MemoryStore } from '../../storage/memory-store.js';
import type { ReturnCandidate, ReturnSearch } from '../return-candidate.js';
import type { DeviceOnMemory } from './device-on-memory.js';
import { type JudgedIo, ScriptedStore } from './scripted-store.js';

/** What Linux answers on a disk that has vanished while it was open (shared/facts/abi.md section 3). */
export function vanishedAnswer({ kind }: JudgedIo): number {
  switch (kind) {
    case 'read':
      return ERRNO.ENODEV;
    case 'flush':
      return ERRNO.EIO;
    default:
      return ERRNO.ENOSPC;
  }
}

export function vanish(rig: DeviceOnMemory, target: number): void {
  rig.stores[target]!.judge = vanishedAnswer;
}

/** It answers again where it was. */
export function answerAgain(rig: DeviceOnMemory, target: number): void {
  rig.stores[target]!.judge = () => 0;
}

/** What turns up when a device that is gone is looked for; nothing to begin with. Hand `find` to the device. */
export class Surroundings {
  readonly #found = new Map<number, () => ReturnSearch>();
  searchCount = 0;
  /** Candidates that were not taken. */
  refusedCount = 0;

  readonly find = (target: number, found: (search: ReturnSearch) => void): void => {
    this.searchCount += 1;
    found(this.#found.get(target)?.() ?? { kind: 'absent' });
  };

  /**
   * A disk with these contents can be found from now on; taken, it answers in the place of the one that is gone. `judge`: while
   * it is looked at.
   */
  bring(
    rig: DeviceOnMemory,
    target: number,
    contents: Uint8Array,
    proof: ReturnCandidate['proof'] = 'identity',
    judge: ScriptedStore['judge'] = () => 0,
  ): void {
    const store = (): MemoryStore =>
      new MemoryStore({
        sizeBytes: contents.length,
        memory: rig.memory,
        scheduler: rig.scheduler,
        contents,
      });
    const looked = (): ScriptedStore => {
      const scripted = new ScriptedStore(store(), rig.scheduler);
      scripted.judge = judge;
      return scripted;
    };
    const candidate = (): ReturnCandidate => ({
      name: `disk-${target}-again`,
      proof,
      store: looked(),
      accept: () => {
        this.#found.delete(target);
        rig.stores[target]!.switchTo(store());
        answerAgain(rig, target);
      },
      refuse: () => {
        this.refusedCount += 1;
      },
    });
    this.#found.set(target, () => ({ kind: 'candidate', candidate: candidate() }));
  }

  /** A disk is there that answers no read; `answer` has it fail all that it was asked. */
  bringSilent(rig: DeviceOnMemory, target: number): { answer(errno: number): void } {
    const asked: Array<(errno: number) => void> = [];
    const store = (): MemoryStore => {
      const { contents } = rig.disks[target]!;
      const sizeBytes = contents.length;
      return new SilentStore({ sizeBytes, memory: rig.memory, scheduler: rig.scheduler, contents }, asked);
    };
    const candidate = (): ReturnCandidate => ({
      name: `disk-${target}-again`,
      proof: 'identity',
      store: store(),
      accept: () => assert(false, 'a disk that answers nothing is not the one'),
      refuse: () => {
        this.refusedCount += 1;
      },
    });
    this.#found.set(target, () => ({ kind: 'candidate', candidate: candidate() }));
    return { answer: (errno) => asked.splice(0).forEach((fail) => void fail(errno)) };
  }

  /** Something is there that can't even be opened. */
  bringUnusable(target: number, reason: string): void {
    this.#found.set(target, () => ({ kind: 'refused', name: `disk-${target}-again`, reason }));
  }
}

class SilentStore extends MemoryStore {
  readonly #asked: Array<(errno: number) => void>;
  #sink: CompletionSink | undefined;

  constructor(options: ConstructorParameters<typeof MemoryStore>[0], asked: Array<(errno: number) => void>) {
    super(options);
    this.#asked = asked;
  }

  override attach(sink: CompletionSink): void {
    this.#sink = sink;
  }

  override read(ticket: number): void {
    this.#asked.push((errno) => this.#sink!.complete(ticket, -errno));
  }
}

export function eventKinds(rig: DeviceOnMemory): string[] {
  return rig.events.map(({ kind }) => kind);
}
