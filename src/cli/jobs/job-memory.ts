import { rm } from 'node:fs/promises';
import { writeDurably } from './durable-file.js';
import { jobFileIn } from './job-places.js';
import { areNone, NO_JOBS, type RememberedJobs } from './remembered-jobs.js';

/** The jobs of one set, in a file, for the process that serves it next. */
export class JobMemory {
  readonly #places: readonly string[];
  readonly #setId: string;
  readonly #tell: (problem: string) => void;
  #jobs: RememberedJobs;
  #writing: Promise<void> = Promise.resolve();

  /** `places`: of `jobPlaces`. `jobs`: as they were found. `tell`: hears in a line why they can't be remembered. */
  constructor(
    places: readonly string[],
    setId: string,
    jobs: RememberedJobs | undefined,
    tell: (problem: string) => void,
  ) {
    this.#places = places;
    this.#setId = setId;
    this.#jobs = jobs ?? NO_JOBS;
    this.#tell = tell;
  }

  get jobs(): RememberedJobs {
    return this.#jobs;
  }

  /** Resolves when it is durable, or when it was told that it can't be: a job goes on without that. */
  change(changes: Partial<RememberedJobs>): Promise<void> {
    this.#jobs = { ...this.#jobs, ...changes };
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  /** Resolves when all changes are durable, or were told of. */
  get written(): Promise<void> {
    return this.#writing;
  }

  async #write(): Promise<void> {
    const keeper = areNone(this.#jobs) ? undefined : await this.#keep();
    for (const place of this.#places) if (place !== keeper) await this.#forgetIn(place);
  }

  /** Answers the directory that took it. */
  async #keep(): Promise<string | undefined> {
    const text = `${JSON.stringify({ version: 1, writtenMs: Date.now(), ...this.#jobs }, null, 2)}\n`;
    let problem = 'no directory for it; set STATE_DIRECTORY or --archive';
    for (const place of this.#places) {
      try {
        await writeDurably(jobFileIn(place, this.#setId), text);
        return place;
      } catch (error) {
        problem = `${place} (${(error as NodeJS.ErrnoException).code})`;
      }
    }
    this.#tell(`jobs would not be gone on with after a restart: they can't be remembered: ${problem}`);
    return undefined;
  }

  async #forgetIn(place: string): Promise<void> {
    const path = jobFileIn(place, this.#setId);
    try {
      await rm(path, { force: true });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOTDIR') this.#tell(`${path}: is out of date and can't be removed (${code})`);
    }
  }
}
