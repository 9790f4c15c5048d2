import { setTimeout as delay } from 'node:timers/promises';
import { isProcessAlive } from '../kernel/process-alive.js';
import { signalProcess } from '../kernel/signal-process.js';
import { DISK_PATIENCE_MS } from './disk-patience.js';
import { DmRemapError } from './errors.js';

/** Asks a process that serves a set to stop, and waits until it has written its metadata and is gone. */
export async function endProcess(processId: number): Promise<void> {
  signalProcess(processId, 'SIGTERM');
  const untilMs = performance.now() + DISK_PATIENCE_MS;
  while (isProcessAlive(processId)) {
    if (performance.now() >= untilMs)
      throw new DmRemapError('system', `process ${processId} has not stopped; its log says why`);
    await delay(CHECK_MS);
  }
}

const CHECK_MS = 20;
