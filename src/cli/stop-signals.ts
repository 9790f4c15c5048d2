import { EXIT_STATUS } from './exit-status.js';

/** How a person or the system asks a running command to do something. */
export interface StopSignals {
  /**
   * Resolves with the name of the next signal. From the first call on a signal doesn't end the process by itself; but
   * one that nobody waits for does, at once, unless it comes within `SAME_REQUEST_MS` of the one before.
   */
  next(): Promise<StopSignal>;
  /** Has the program that this one starts in place of itself hear of it first: nobody would send it again. */
  postpone(signal: StopSignal): void;
}

export type StopSignal = keyof typeof STATUS_OF_UNAWAITED;

/** SIGHUP too: the terminal went away, and the metadata should still be marked as cleanly stopped. */
export function stopSignalsOf(process: SignalledProcess, nowMs = () => performance.now()): StopSignals {
  const arrival: { waiting?: ((signal: StopSignal) => void) | undefined; lastMs: number } = {
    lastMs: Number.NEGATIVE_INFINITY,
  };
  let listens = false;
  const takePostponed = (): StopSignal | undefined => {
    const postponed = SIGNALS.find((signal) => signal === process.env[POSTPONED]);
    delete process.env[POSTPONED];
    return postponed;
  };
  const receive = (signal: StopSignal): void => {
    const isRepeated = nowMs() - arrival.lastMs < SAME_REQUEST_MS;
    arrival.lastMs = nowMs();
    if (isRepeated) return;
    if (arrival.waiting === undefined) return process.exit(STATUS_OF_UNAWAITED[signal]);
    arrival.waiting(signal);
    arrival.waiting = undefined;
  };
  return {
    next: () => {
      if (!listens) for (const signal of SIGNALS) process.on(signal, () => receive(signal));
      listens = true;
      const postponed = takePostponed();
      if (postponed !== undefined) return Promise.resolve(postponed);
      return new Promise((resolve) => {
        arrival.waiting = resolve;
      });
    },
    postpone: (signal) => {
      process.env[POSTPONED] = signal;
    },
  };
}

export interface SignalledProcess {
  readonly env: NodeJS.ProcessEnv;
  on(signal: StopSignal, listener: () => void): unknown;
  exit(status: number): void;
}

/**
 * Sooner than any person: npm passes on the Ctrl-C that the terminal has sent to the whole group, and timeout(1)
 * signals the program and then its group. Both mean one request.
 */
const SAME_REQUEST_MS = 500;

/** execve(2) keeps the environment, and no handler. */
const POSTPONED = 'DMREMAP_POSTPONED_SIGNAL';

const STATUS_OF_UNAWAITED = {
  SIGHUP: EXIT_STATUS.hangUp,
  SIGINT: EXIT_STATUS.interrupted,
  SIGTERM: EXIT_STATUS.terminated,
  /** Hand the block device over; one that is being stopped already is not. */
  SIGUSR2: EXIT_STATUS.terminated,
} as const;

const SIGNALS = Object.keys(STATUS_OF_UNAWAITED) as StopSignal[];
