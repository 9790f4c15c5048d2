import { setTimeout as delay } from 'node:timers/promises';
import type { ControlClient } from '../control/client/control-client.js';
import type { EvacuationResource } from '../control/schema/evacuation.js';
import { DmRemapError } from '../library/errors.js';
import { durationText } from './duration-text.js';
import type { Output } from './output.js';
import { formatSize } from './sizes.js';
import { START_OVER } from './start-over.js';
import { INTERRUPTED, type Interrupted, unlessInterrupted } from './unless-interrupted.js';

/**
 * Waits until a set is copied to another disk, and shows a person at a terminal how far it is. Answers how it is then; if it
 * is copied still, `interrupted` came first. Rejects with `DmRemapError` where it can't go on.
 */
export async function followEvacuation(
  client: Pick<ControlClient, 'evacuation'>,
  output: Output,
  interrupted: Promise<Interrupted>,
  nowMs: () => number = () => performance.now(),
  pauseMs = PAUSE_MS,
): Promise<Evacuation> {
  let startedMs = nowMs();
  let first = await reportOf(client);
  let report = first;
  while (report.state === 'copying') {
    if (output.isTerminal)
      output.write(
        `${START_OVER}${progressText(report, report.copiedBytes - first.copiedBytes, nowMs() - startedMs)}`,
      );
    await Promise.race([delay(pauseMs), interrupted]);
    // Nobody may serve the set for a while.
    const now = await unlessInterrupted(reportOf(client), interrupted);
    if (now === INTERRUPTED) break;
    report = now;
    // What an earlier process has copied says nothing about the rate.
    if (report.beginning !== first.beginning) {
      first = report;
      startedMs = nowMs();
    }
  }
  if (output.isTerminal) output.write(START_OVER);
  return report.state === 'copying' ? report : copiedOrThrow(report);
}

export type Evacuation = NonNullable<EvacuationResource['evacuation']>;

async function reportOf(client: Pick<ControlClient, 'evacuation'>): Promise<Evacuation> {
  const report = await client.evacuation();
  if (report !== null) return report;
  throw new DmRemapError(
    'device',
    'the process that copied was started again, and the copying rests; the set is as it was: "dmremap evacuate" without a disk goes on',
  );
}

function copiedOrThrow(report: Evacuation): Evacuation {
  if (report.state === 'copied') return report;
  if (report.state === 'cancelled')
    throw new DmRemapError('refused', `${report.path}: somebody has cancelled it`);
  throw new DmRemapError('io', report.problem ?? `${report.path}: ${report.state}`);
}

/** `copiedBytes` in `elapsedMs`: while somebody looked. */
export function progressText(report: Evacuation, copiedBytes: number, elapsedMs: number): string {
  const { totalBytes } = report;
  const percent = Math.floor((100 * report.copiedBytes) / totalBytes);
  const amount = `${formatSize(report.copiedBytes)} of ${formatSize(totalBytes)} (${percent} %)`;
  if (report.isPaused) return `${amount}, paused`;
  if (report.isWaiting) return `${amount}, waiting for a device that is away`;
  const perSecond = copiedBytes / Math.max(1, elapsedMs / 1000);
  if (perSecond === 0) return `${amount}${PASS_TEXT[report.pass]}`;
  const secondsLeft = Math.ceil((totalBytes - report.copiedBytes) / perSecond);
  return `${amount}, ${formatSize(Math.round(perSecond))}/s, ${durationText(secondsLeft)} left${PASS_TEXT[report.pass]}`;
}

const PASS_TEXT: Readonly<Record<Evacuation['pass'], string>> = {
  comparing: ', comparing what was copied before',
  forward: '',
  backward: ', around what is bad',
  thorough: ', block by block where it is bad',
};

const PAUSE_MS = 500;
