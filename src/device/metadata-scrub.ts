import type { Procedure } from '../engine/effect.js';
import type { Scheduler } from '../ports/scheduler.js';
import type { DeviceEvent } from './device-event.js';
import type { MetadataWork, MetadataWriter } from './metadata-writer.js';
import { scrubPages, scrubSuperblock } from './scrub-metadata.js';

/**
 * Compares all copies of the metadata of a set in use, and repairs them. In small steps, each alone with the
 * writer: no page is judged or written while it changes, and a commit waits for one step at most.
 */
export class MetadataScrub {
  readonly #parts: ScrubParts;
  #isStopped = false;

  constructor(parts: ScrubParts) {
    this.#parts = parts;
  }

  /** After the step that is under way, if one is. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Once, from the first copy to the last page. */
  run(done: (report: ScrubReport) => void): void {
    const { bufferOffset } = this.#parts;
    this.#step(
      (work) => scrubSuperblock(work, bufferOffset),
      (repairedBlocks) => this.#pagesFrom(0, repairedBlocks, done),
    );
  }

  #pagesFrom(firstPage: number, repairedSoFar: number, done: (report: ScrubReport) => void): void {
    const { metadata, bufferOffset, report } = this.#parts;
    const { pageCount, spares } = metadata.superblock;
    if (firstPage >= pageCount) {
      const written = spares.reduce((sum, spare) => sum + spare.initialisedPageCount, 0);
      const found: ScrubReport = { pageCount: written, repairedBlocks: repairedSoFar };
      report({ kind: 'metadataScrubbed', ...found });
      return done(found);
    }
    this.#step(
      (work) => scrubPages(work, bufferOffset, firstPage),
      ({ repairedBlocks, nextPage }) => this.#pagesFrom(nextPage, repairedSoFar + repairedBlocks, done),
    );
  }

  #step<Value>(procedureOf: (work: MetadataWork) => Procedure<Value>, next: (value: Value) => void): void {
    if (this.#isStopped) return;
    this.#parts.metadata.run(procedureOf, (value) => this.#after(PAUSE_MS, () => next(value)));
  }

  #after(delayMs: number, task: () => void): void {
    this.#parts.scheduler.after(delayMs, () => {
      if (!this.#isStopped) task();
    });
  }
}

/** What a comparison of all copies has come to. */
export interface ScrubReport {
  /** Pages of the map, each looked at in every copy. */
  readonly pageCount: number;
  /** Superblocks and pages that were damaged or stale in some copy, and were written anew where the spare took it. */
  readonly repairedBlocks: number;
}

export interface ScrubParts {
  readonly metadata: MetadataWriter;
  readonly scheduler: Scheduler;
  /** Room for `RECOVERY_READ_BYTES` of each copy; used by the step that is alone with the writer. */
  readonly bufferOffset: number;
  readonly report: (event: DeviceEvent) => void;
}

/** A tenth of a disk's time at most; a million moved units take a quarter of an hour. */
const PAUSE_MS = 100;
