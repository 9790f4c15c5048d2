import type { Machine } from './machine.js';

/** The spares as they were some time ago: what comes back when an older state of them does. */
export class OldBytes {
  readonly #machine: Machine;
  #spares: readonly Uint8Array[] = [];

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  remember(): void {
    const { trouble } = this.#machine.scenario;
    if (trouble.metadataDamage === 0 && trouble.outages === 0) return;
    this.#spares = this.#machine.spareBytes.map((spare) => spare.slice());
  }

  forget(): void {
    this.#spares = [];
  }

  /** Undefined if nothing is remembered yet. */
  ofSpare(spareIndex: number): Uint8Array | undefined {
    return this.#spares[spareIndex];
  }
}
