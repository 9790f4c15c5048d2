import type { Scheduler } from '../ports/scheduler.js';
import type { DeviceEvent } from './device-event.js';
import { MetadataScrub, type ScrubReport } from './metadata-scrub.js';
import type { MetadataWriter } from './metadata-writer.js';
import { RepeatedTask } from './repeated-task.js';
import { saveCounters } from './save-counters.js';

/** What is done to the metadata of a device at work every so often, until `stop`. */
export class Upkeep {
  /** Compares all copies. */
  readonly scrub: RepeatedTask;
  readonly counterSaving: RepeatedTask;
  readonly #scrub: MetadataScrub;

  constructor(parts: UpkeepParts) {
    const { metadata, scheduler } = parts;
    this.#scrub = new MetadataScrub(parts);
    this.scrub = new RepeatedTask(scheduler, (done) => this.#scrub.run(() => done()));
    this.counterSaving = new RepeatedTask(scheduler, (done) => metadata.run(saveCounters, done));
  }

  /** Once, now, whatever `scrub` does. `done` isn't called if `stop` comes first. */
  scrubNow(done: (report: ScrubReport) => void): void {
    this.#scrub.run(done);
  }

  /** A scrub that is under way ends where it is. */
  stop(): void {
    this.#scrub.stop();
    this.scrub.stop();
    this.counterSaving.stop();
  }
}

export interface UpkeepParts {
  readonly metadata: MetadataWriter;
  readonly scheduler: Scheduler;
  /** Room for what a scrub reads. */
  readonly bufferOffset: number;
  readonly report: (event: DeviceEvent) => void;
}
