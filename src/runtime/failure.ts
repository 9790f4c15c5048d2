/** Why something asked of a device could not be done, in a form that crosses threads. */
export interface Failure {
  readonly failure: FailureClass;
  /** One line: what, where, what to do. */
  readonly message: string;
}

export type FailureClass =
  /** Wrong arguments or a wrong file that a person wrote. */
  | 'usage'
  /** A device or file can't be opened, or is in use. */
  | 'device'
  /** Refused to protect data: the wrong disk, a spare that holds something else. `--force` may lift it. */
  | 'refused'
  /** The metadata is missing, damaged beyond use or of a newer version. */
  | 'metadata'
  /** An I/O of a request failed: EIO, ENOSPC. */
  | 'io'
  /** The system lacks something that was asked for: io_uring, a port that is free. */
  | 'system';

export function failure(failureClass: FailureClass, message: string): Failure {
  return { failure: failureClass, message };
}
