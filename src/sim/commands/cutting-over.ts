import type { RequestStep } from '../history.js';
import type { Lives } from '../lives.js';
import type { RunParts } from '../run-parts.js';
import type { CutOverStep } from './evacuation-step.js';
import type { OfflineParts } from './offline-session.js';
import { takeOver } from './taking-over.js';

/** A set that is copied to another disk is closed, lives there from now on, and is opened again. */
export class CuttingOver {
  readonly #parts: RunParts;
  readonly #lives: Lives;
  readonly #send: (request: RequestStep) => void;

  constructor(parts: RunParts, lives: Lives, send: (request: RequestStep) => void) {
    this.#parts = parts;
    this.#lives = lives;
    this.#send = send;
  }

  /** Refused where not everything is copied in time. */
  carryOut(step: CutOverStep): void {
    const { machine } = this.#parts;
    this.#wait(step.patience);
    if (machine.life!.replacement!.state !== 'copied') return;
    const life = machine.life!;
    const change = (parts: OfflineParts): void => {
      if (life.replacement!.isSealed) this.#takeOver(parts, step);
    };
    if (machine.blockDevice === undefined) return this.#lives.without('stop', change, step.starts);
    const { interruption } = step;
    this.#lives.handOver(
      interruption?.phase === 'close' ? interruption : undefined,
      () => {
        for (const request of step.requests) this.#send(request);
      },
      change,
      step.starts,
    );
  }

  #wait(patience: number): void {
    const { machine, events } = this.#parts;
    const isCopying = (): boolean => machine.life!.replacement!.state === 'copying';
    for (let fired = 0; isCopying() && fired < patience; fired += 1) events.fireSoon(1);
  }

  #takeOver(parts: OfflineParts, { interruption }: CutOverStep): void {
    const { mainChange, evacuating } = this.#parts;
    if (takeOver(parts, mainChange, interruption)) evacuating.forgetWish();
  }
}
