import type { FailureClass } from '../library/errors.js';

/** The HTTP status that a failure is answered with. Its class is in the body: a client need not guess it back. */
export const HTTP_STATUS: Readonly<Record<FailureClass | 'notFound' | 'bug', number>> = {
  usage: 400,
  notFound: 404,
  refused: 409,
  metadata: 500,
  io: 500,
  bug: 500,
  device: 503,
  system: 503,
};
