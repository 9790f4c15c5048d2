import { DmRemapError } from '../../library/errors.js';

/** Nobody is at the control socket, or whoever was there died before the whole answer was sent. */
export class NoAnswer extends DmRemapError {
  /** Somebody may be there, but does not hear this user. */
  readonly isForbidden: boolean;

  constructor(socketPath: string, reason: string) {
    super('device', `${socketPath}: the process that serves it does not answer (${reason})`);
    this.isForbidden = reason === 'EACCES' || reason === 'EPERM';
  }
}
