import type { WantedEmptying } from './emptying-work.js';
import type { JobMemory } from './job-memory.js';
import type { RememberedEmptying } from './remembered-jobs.js';

/** Which spares of a set are being emptied, or are empty and to be used no more: by UUID, because numbers change. */
export class EmptyingMemory {
  readonly #jobs: JobMemory;
  readonly #spares: readonly { readonly uuid: string }[];

  /** `spares`: by spare index. */
  constructor(jobs: JobMemory, spares: readonly { readonly uuid: string }[]) {
    this.#jobs = jobs;
    this.#spares = spares;
  }

  /** Those of spares that the set does not have any more are forgotten. */
  async read(): Promise<readonly (WantedEmptying & { readonly isPaused: boolean })[]> {
    const all = this.#jobs.jobs.emptying;
    const present = all.filter(({ spareUuid }) => this.#indexOf(spareUuid) !== undefined);
    if (present.length < all.length) await this.#jobs.change({ emptying: present });
    return present.map(({ spareUuid, toSpareUuid, acceptsLoss, isPaused }) => {
      const toSpareIndex = toSpareUuid === null ? undefined : this.#indexOf(toSpareUuid);
      return { spareIndex: this.#indexOf(spareUuid)!, toSpareIndex, acceptsLoss, isPaused };
    });
  }

  async keep({ spareIndex, acceptsLoss, toSpareIndex }: WantedEmptying, isPaused: boolean): Promise<void> {
    const { uuid: spareUuid } = this.#spares[spareIndex]!;
    const toSpareUuid = toSpareIndex === undefined ? null : this.#spares[toSpareIndex]!.uuid;
    const one = { spareUuid, acceptsLoss, toSpareUuid, isPaused };
    await this.#jobs.change({ emptying: [...this.#without(spareUuid), one] });
  }

  async forget(uuid: string): Promise<void> {
    const others = this.#without(uuid);
    if (others.length < this.#jobs.jobs.emptying.length) await this.#jobs.change({ emptying: others });
  }

  #without(uuid: string): RememberedEmptying[] {
    return this.#jobs.jobs.emptying.filter(({ spareUuid }) => spareUuid !== uuid);
  }

  #indexOf(uuid: string): number | undefined {
    const index = this.#spares.findIndex((spare) => spare.uuid === uuid);
    return index === -1 ? undefined : index;
  }
}
