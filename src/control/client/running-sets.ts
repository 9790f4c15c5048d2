import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DmRemapError } from '../../library/errors.js';
import { SOCKET_SUFFIX } from '../run-directory.js';
import type { DeviceResource } from '../schema/device.js';
import { ControlClient } from './control-client.js';
import { NoAnswer } from './no-answer.js';
import { labelOf } from './pick-set.js';
import { reopenedSets } from './reopened-sets.js';

/** A set that a process serves now. */
export interface RunningSet {
  readonly client: ControlClient;
  readonly device: DeviceResource;
}

/**
 * Every set that answers, by name; what a process that died has left is passed over. A set that is being closed, or opened
 * again, is waited for some seconds: it may be back then, and else must not hide the others. No more does a process that
 * hangs, or one that this user may not ask: `unheard` is told of its socket, or of the directory where nobody may look.
 */
export async function runningSets(
  runDirectory: string,
  isProcessAlive: (processId: number) => Promise<boolean>,
  unheard: (path: string, why: Unheard) => void,
  { limitMs, lookMs, answerMs }: LookingPatience = PATIENCE,
  connect = (socketPath: string): ControlClient => new ControlClient(socketPath),
): Promise<RunningSet[]> {
  for (const endMs = Date.now() + limitMs; ; await delay(lookMs)) {
    const isReopened = async () => (await reopenedSets(runDirectory, isProcessAlive)).length > 0;
    // A set may go, or come back, while one looks.
    const wasReopened = await isReopened();
    const sockets = socketsIn(runDirectory);
    if (sockets === 'forbidden') {
      unheard(runDirectory, 'forbidden');
      return [];
    }
    const clients = sockets.map(connect);
    const looks = await Promise.all(clients.map((client) => runningSet(client, answerMs)));
    const isBetween = wasReopened || looks.includes('closing') || (await isReopened());
    if (isBetween && Date.now() < endMs) continue;
    for (const [index, look] of looks.entries())
      if (look === 'silent' || look === 'forbidden') unheard(clients[index]!.socketPath, look);
    return byName(looks);
  }
}

export interface LookingPatience {
  readonly limitMs: number;
  readonly lookMs: number;
  /** So long a process may take to answer. */
  readonly answerMs: number;
}

/** Why a process tells nothing of its set: it gives no answer, or its socket is another user's. */
export type Unheard = 'silent' | 'forbidden';

type Look = RunningSet | 'closing' | Unheard | undefined;

function byName(looks: readonly Look[]): RunningSet[] {
  const found = looks.filter((look): look is RunningSet => typeof look === 'object');
  return found.sort((one, other) => (labelOf(one.device) < labelOf(other.device) ? -1 : 1));
}

/** One that is being closed refuses to tell. */
async function runningSet(client: ControlClient, answerMs: number): Promise<Look> {
  const patience = AbortSignal.timeout(answerMs);
  try {
    return { client, device: await client.device(patience) };
  } catch (error) {
    if (!(error instanceof DmRemapError)) throw error;
    if (patience.aborted) return 'silent';
    if (error instanceof NoAnswer && error.isForbidden) return 'forbidden';
    if (error.failure === 'device') return undefined;
    if (error.failure === 'system') return 'closing';
    throw error;
  }
}

const PATIENCE: LookingPatience = { limitMs: 5_000, lookMs: 100, answerMs: 30_000 };

function socketsIn(runDirectory: string): string[] | 'forbidden' {
  try {
    const names = readdirSync(runDirectory).filter((name) => name.endsWith(SOCKET_SUFFIX));
    return names.map((name) => join(runDirectory, name));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    if (code === 'EACCES') return 'forbidden';
    throw new DmRemapError('device', `${runDirectory}: can't be read (${code})`);
  }
}
