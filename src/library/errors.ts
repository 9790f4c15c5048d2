import type { Failure, FailureClass } from '../runtime/failure.js';

export type { FailureClass } from '../runtime/failure.js';

/**
 * Why a call of the library (and so a command) failed. `message` is one line: what, where, what to do. The class
 * decides the command's exit status (docs/exit-codes.md).
 */
export class DmRemapError extends Error {
  override readonly name = 'DmRemapError';
  readonly failure: FailureClass;

  constructor(failure: FailureClass, message: string) {
    super(message);
    this.failure = failure;
  }

  static of(failure: Failure): DmRemapError {
    return new DmRemapError(failure.failure, failure.message);
  }
}
