import type { Statistics } from './statistics.js';

/** One line on a terminal that is written again now and then; nothing where there is none. */
export function progressLine(): ProgressLine {
  let shownAtMs = 0;
  const { stderr } = process;
  return {
    show: ({ runs, requests, diskIos }, elapsedMs) => {
      if (!stderr.isTTY || elapsedMs - shownAtMs < PAUSE_MS) return;
      shownAtMs = elapsedMs;
      const rate = Math.round(((requests + diskIos) * 1000) / elapsedMs);
      stderr.write(`\r\x1b[K${runs} seeds, ${requests} requests, ${diskIos} disk I/Os, ${rate} operations/s`);
    },
    end: () => {
      if (stderr.isTTY) stderr.write('\r\x1b[K');
    },
  };
}

export interface ProgressLine {
  readonly show: (total: Statistics, elapsedMs: number) => void;
  readonly end: () => void;
}

const PAUSE_MS = 500;
