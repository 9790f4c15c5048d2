import type { FindReturned, ReturnCandidate, ReturnSearch } from '../device/return-candidate.js';
import type { CompletionSink } from '../ports/block-store.js';
import { CheckFailure } from './check-failure.js';
import type { DiskFront } from './disk-front.js';
import type { SimDisk } from './sim-disk.js';

/** What turns up when a device that is gone is looked for under another name. */
export class Surroundings {
  readonly #arrivals = new Map<number, Arrival>();
  readonly #owner: CompletionSink;
  refusedCount = 0;
  /** What was refused last is the device that was gone. */
  hasRefusedIt = false;

  /** `owner`: the thread that looks. */
  constructor(owner: CompletionSink) {
    this.#owner = owner;
  }

  readonly find: FindReturned = (target, found) => found(this.#search(target));

  bring(target: number, arrival: Arrival): void {
    this.#arrivals.set(target, arrival);
  }

  forget(target: number): void {
    this.#arrivals.delete(target);
  }

  #search(target: number): ReturnSearch {
    const arrival = this.#arrivals.get(target);
    if (arrival === undefined) return { kind: 'absent' };
    const { disk, proof, fronts, isTheOne } = arrival;
    const accept = (): void => {
      if (!isTheOne) throw new CheckFailure('acceptedWrongDevice', arrival.description);
      this.#arrivals.delete(target);
      for (const front of fronts) front.isCutOff = false;
    };
    const refuse = (): void => {
      this.refusedCount += 1;
      this.hasRefusedIt = isTheOne;
      // The disk itself may have turned up while this one was looked at.
      if (this.#arrivals.get(target) !== arrival) return;
      if (!isTheOne) this.#arrivals.delete(target);
      // Its contents may not be enough to tell it by; then somebody finds out what else does.
      else if (proof === 'samePath') this.bring(target, { ...arrival, proof: 'sameFile' });
    };
    const candidate = {
      name: `${disk.description}, again`,
      proof,
      store: disk.open(this.#owner),
      accept,
      refuse,
    };
    return { kind: 'candidate', candidate };
  }
}

export interface Arrival {
  readonly disk: SimDisk;
  readonly proof: ReturnCandidate['proof'];
  /** What the process had opened the disk as. */
  readonly fronts: readonly DiskFront[];
  /** It is the disk that went, as it was; anything else must be refused. */
  readonly isTheOne: boolean;
  readonly description: string;
}
