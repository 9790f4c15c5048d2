import { EXIT_STATUS } from './exit-status.js';

/** How a person or the system asks a running command to end. */
export interface StopSignals {
  /**
   * Resolves with the first signal's name. From this call on a signal doesn't end the process by itself, but a second
   * one does, at once, unless it comes within `SAME_REQUEST_MS` of the first.
   */
  first(): Promise<StopSignal>;
}

export type StopSignal = keyof typeof STATUS_OF_SECOND;

/** SIGHUP too: the terminal went away, and the metadata should still be marked as cleanly stopped. */
export function stopSignalsOf(process: SignalledProcess, nowMs = () => performance.now()): StopSignals {
  let first: Promise<StopSignal> | undefined;
  return {
    first: () => {
      first ??= listen(process, nowMs);
      return first;
    },
  };
}

export interface SignalledProcess {
  on(signal: StopSignal, listener: () => void): unknown;
  exit(status: number): void;
}

function listen(process: SignalledProcess, nowMs: () => number): Promise<StopSignal> {
  return new Promise((resolve) => {
    let firstMs: number | undefined;
    for (const signal of STOP_SIGNALS) {
      process.on(signal, () => {
        firstMs ??= nowMs();
        if (nowMs() - firstMs >= SAME_REQUEST_MS) process.exit(STATUS_OF_SECOND[signal]);
        resolve(signal);
      });
    }
  });
}

/**
 * Sooner than any person: npm passes on the Ctrl-C that the terminal has sent to the whole group, and timeout(1)
 * signals the program and then its group. Both mean one request.
 */
const SAME_REQUEST_MS = 500;

const STATUS_OF_SECOND = {
  SIGHUP: EXIT_STATUS.hangUp,
  SIGINT: EXIT_STATUS.interrupted,
  SIGTERM: EXIT_STATUS.terminated,
} as const;

const STOP_SIGNALS = Object.keys(STATUS_OF_SECOND) as StopSignal[];
