import type { Effect, Procedure } from '../engine/effect.js';
import type { TransferWatch } from './metadata-types.js';

/** Tells of all that is read and written for procedures that run one after another. */
export class TransferMeter {
  #readBytes = 0;
  #writtenBytes = 0;
  readonly #watch: TransferWatch;

  constructor(watch: TransferWatch) {
    this.#watch = watch;
  }

  /** The same procedure, with a call before each step that transfers something. */
  *watch<Value>(procedure: Procedure<Value>): Procedure<Value> {
    let step = procedure.next();
    while (step.done !== true) {
      if (this.#add(step.value)) this.#watch.onTransfer?.(this.#readBytes, this.#writtenBytes);
      step = procedure.next(yield step.value);
    }
    return step.value;
  }

  /** True if it is a transfer, or has one among its parts. */
  #add(effect: Effect): boolean {
    if (effect.kind === 'all') return effect.effects.map((each) => this.#add(each)).includes(true);
    if (effect.kind === 'read') this.#readBytes += effect.lengthBytes;
    else if (effect.kind === 'write') this.#writtenBytes += effect.lengthBytes;
    else return false;
    return true;
  }
}
