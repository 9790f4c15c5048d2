import { check } from '../check-failure.js';
import type { FaultParts } from '../inject-fault.js';

/** Requests that somebody holds (`dmsetup suspend`): from when that is granted nothing is written to the main device. */
export class Held {
  readonly #parts: Pick<FaultParts, 'machine' | 'ledger' | 'excuses'>;
  /** Writes to the main device so far, when it was granted. */
  #writesAtGrant: number | undefined;
  /** Asked for, granted or not: all units may be locked. */
  isWanted = false;

  constructor(parts: Pick<FaultParts, 'machine' | 'ledger' | 'excuses'>) {
    this.#parts = parts;
  }

  suspend(): void {
    const { machine, ledger } = this.#parts;
    const { life } = machine;
    this.isWanted = true;
    life!.suspend((isSuspended) => {
      if (isSuspended && machine.life === life) this.#writesAtGrant ??= ledger.mainWriteCount;
    });
  }

  resume(): void {
    const { machine, ledger, excuses } = this.#parts;
    const atGrant = this.#writesAtGrant;
    this.#writesAtGrant = undefined;
    this.isWanted = false;
    // Where the main device was gone, whether it is back is tried by writing what was read.
    const isHeld = atGrant === undefined || atGrant === ledger.mainWriteCount || excuses.hadOutage;
    check(isHeld, 'byHand', 'the main device was written to while the set was suspended');
    machine.life?.resume();
  }

  /** The process is gone. */
  forget(): void {
    this.#writesAtGrant = undefined;
    this.isWanted = false;
  }
}
