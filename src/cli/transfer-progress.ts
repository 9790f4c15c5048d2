import type { TransferWatch } from '../library/metadata-types.js';
import type { Output } from './output.js';
import { formatSize } from './sizes.js';
import { START_OVER } from './start-over.js';

/**
 * Does work that may take minutes on a large or failing spare, and shows a person at a terminal that it goes on: one line
 * that is written over and over, and is gone in the end. What is over soon shows nothing.
 */
export async function withProgress<Value>(
  output: Output,
  work: (watch: TransferWatch) => Promise<Value>,
  nowMs: () => number = () => performance.now(),
): Promise<Value> {
  if (!output.isTerminal) return work({});
  let nextMs = nowMs() + SOON_MS;
  let isShown = false;
  const onTransfer = (readBytes: number, writtenBytes: number): void => {
    if (nowMs() < nextMs) return;
    nextMs = nowMs() + PAUSE_MS;
    isShown = true;
    output.write(`${START_OVER}read ${formatSize(readBytes)}, written ${formatSize(writtenBytes)}`);
  };
  try {
    return await work({ onTransfer });
  } finally {
    if (isShown) output.write(START_OVER);
  }
}

const SOON_MS = 1000;
const PAUSE_MS = 200;
