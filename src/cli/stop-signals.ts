import { EXIT_STATUS } from './exit-status.js';

/** How a person or the system asks a running command to end. */
export interface StopSignals {
  /**
   * Resolves with the first signal's name. From this call on a signal doesn't end the process by itself, but a second
   * one does, at once.
   */
  first(): Promise<StopSignal>;
}

export type StopSignal = keyof typeof STATUS_OF_SECOND;

/** SIGHUP too: the terminal went away, and the metadata should still be marked as cleanly stopped. */
export function stopSignalsOf(process: NodeJS.Process): StopSignals {
  let first: Promise<StopSignal> | undefined;
  return {
    first: () => {
      first ??= listen(process);
      return first;
    },
  };
}

function listen(process: NodeJS.Process): Promise<StopSignal> {
  return new Promise((resolve) => {
    let count = 0;
    for (const signal of STOP_SIGNALS) {
      process.on(signal, () => {
        count += 1;
        if (count > 1) process.exit(STATUS_OF_SECOND[signal]);
        resolve(signal);
      });
    }
  });
}

const STATUS_OF_SECOND = {
  SIGHUP: EXIT_STATUS.hangUp,
  SIGINT: EXIT_STATUS.interrupted,
  SIGTERM: EXIT_STATUS.terminated,
} as const;

const STOP_SIGNALS = Object.keys(STATUS_OF_SECOND) as StopSignal[];
