import { assert } from '../base/assert.js';
import type { RunnerServices } from './effect-runner.js';

const refuse = (): never => assert(false, 'this only reads') as never;

/** For procedures that only read: anything else is a bug. */
export const READ_ONLY_SERVICES: RunnerServices = {
  lock: refuse,
  tryLock: refuse,
  unlock: refuse,
  commit: refuse,
  unsettle: refuse,
  noteWritten: refuse,
  noteFlushStarted: refuse,
  noteFlushEnded: refuse,
};
