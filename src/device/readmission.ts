import type { Scratch } from '../engine/cold-context.js';
import type { Procedure } from '../engine/effect.js';
import { MAIN } from '../engine/effect.js';
import type { IoMemory } from '../ports/io-memory.js';
import type { Scheduler } from '../ports/scheduler.js';
import type { ContentWatch } from './content-watch.js';
import { EffectRunner } from './effect-runner.js';
import type { MetadataState } from './metadata-state.js';
import type { MetadataWriter } from './metadata-writer.js';
import { READ_ONLY_SERVICES } from './read-only-services.js';
import type { FindReturned, ReturnCandidate, ReturnRefusal, ReturnSearch } from './return-candidate.js';
import { givesSuperblocks, SILENT_SPARE, verifyMain, verifySpare } from './verify-returned.js';

/** Takes a device that was gone back under another name, if it proves to be the one. */
export class Readmission {
  readonly #parts: ReadmissionParts;
  /** By target: what was said last, so that it is said once. */
  readonly #saidRefusals = new Map<number, string>();

  constructor(parts: ReadmissionParts) {
    this.#parts = parts;
  }

  /** `done`: true if the target's store works on another device now. */
  find(target: number, done: (wasReplaced: boolean) => void): void {
    const { findReturned } = this.#parts;
    if (findReturned === undefined) return done(false);
    findReturned(target, (search) => this.#judge(target, search, done));
  }

  /** The target is back: what is refused from now on is news. */
  forget(target: number): void {
    this.#saidRefusals.delete(target);
  }

  #judge(target: number, search: ReturnSearch, done: (wasReplaced: boolean) => void): void {
    if (search.kind === 'absent') return done(false);
    if (search.kind === 'refused') {
      this.#refuse(target, search.name, { kind: 'unusable', reason: search.reason });
      return done(false);
    }
    const { candidate } = search;
    this.#verifyAtRest(target, candidate, (refusal) => {
      if (refusal === undefined) {
        candidate.accept();
        this.#parts.replaced(target, candidate.name);
      } else {
        candidate.refuse();
        this.#refuse(target, candidate.name, refusal);
      }
      done(refusal === undefined);
    });
  }

  /**
   * What a spare holds of the map can be judged only while nothing is written to the others. Whether it answers at all is
   * found out before: a disk that takes minutes to say that it does not would hold up everybody who needs a commit.
   */
  #verifyAtRest(
    target: number,
    candidate: ReturnCandidate,
    done: (refusal: ReturnRefusal | undefined) => void,
  ): void {
    const { metadata, scratch } = this.#parts;
    const runner = this.#runnerOn(candidate);
    if (target === MAIN) return runner.start(this.#verifying(target, candidate), done);
    const { sizeBytes } = candidate.store.geometry;
    runner.start(givesSuperblocks(sizeBytes, scratch.probeOffset), (gives) => {
      if (!gives) return done(SILENT_SPARE);
      metadata.pause((release) => {
        runner.start(this.#verifying(target, candidate), (refusal) => {
          release();
          done(refusal);
        });
      });
    });
  }

  #runnerOn(candidate: ReturnCandidate): EffectRunner {
    const runner = new EffectRunner({
      stores: [candidate.store],
      scheduler: this.#parts.scheduler,
      firstTicket: 0,
      ticketCount: VERIFY_TICKETS,
      services: READ_ONLY_SERVICES,
    });
    candidate.store.attach(runner);
    return runner;
  }

  #verifying(target: number, { proof, store }: ReturnCandidate): Procedure<ReturnRefusal | undefined> {
    const { content, state, memory, recoveryOffset: bufferOffset } = this.#parts;
    if (target === MAIN) return verifyMain(proof, content);
    const { sizeBytes } = store.geometry;
    return verifySpare({ state, spareIndex: target - 1, sizeBytes, memory, bufferOffset });
  }

  #refuse(target: number, name: string, refusal: ReturnRefusal): void {
    const said = JSON.stringify([name, refusal]);
    if (this.#saidRefusals.get(target) === said) return;
    this.#saidRefusals.set(target, said);
    this.#parts.refused(target, name, refusal);
  }
}

export interface ReadmissionParts {
  /** Left out, devices are not looked for. */
  readonly findReturned: FindReturned | undefined;
  readonly state: MetadataState;
  readonly metadata: MetadataWriter;
  /** For a main device without serial number. */
  readonly content: ContentWatch | undefined;
  readonly scheduler: Scheduler;
  readonly memory: IoMemory;
  /** Nobody else's while a device is looked for. */
  readonly scratch: Scratch;
  /** Room for `RECOVERY_READ_BYTES` of each copy. */
  readonly recoveryOffset: number;
  readonly replaced: (target: number, name: string) => void;
  readonly refused: (target: number, name: string, refusal: ReturnRefusal) => void;
}

/** More than the copies of a set, and than the places where a superblock may be. */
export const VERIFY_TICKETS = 64;
