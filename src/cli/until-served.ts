import { setTimeout as delay } from 'node:timers/promises';
import { commandLine } from '../base/shell-words.js';
import type { DeviceResource } from '../control/schema/device.js';
import { DmRemapError } from '../library/errors.js';
import type { CliContext } from './cli-context.js';
import type { DevicesOfSet } from './follow-at-boot.js';
import type { Output } from './output.js';
import { START_OVER } from './start-over.js';

/**
 * Waits for a process that has changed its set and starts itself again; `isChanged`: how the set looks then, which is
 * answered. As long as the process lives it may take its time: to be told to run the set again would bring a second one. When
 * it has died, the one that takes its place (of a service manager) has `limitMs`, and a line says at once what is waited for:
 * there may be nobody but the reader of it to start one. `needed`: what it is to be started with; null: that is not known.
 */
export async function untilServed(
  { setId, processId }: Pick<DeviceResource, 'setId' | 'processId'>,
  context: Pick<CliContext, 'running' | 'library' | 'err'>,
  isChanged: (device: DeviceResource) => boolean,
  needed: NeededDevices | null,
  { limitMs, lookMs }: Patience = PATIENCE,
): Promise<DeviceResource> {
  let wasTold = false;
  for (let endMs = Date.now() + limitMs; ; await delay(lookMs)) {
    const device = await deviceOf(setId, context);
    if (device !== undefined && isChanged(device)) return device;
    if (await context.library.isProcessAlive(processId)) endMs = Date.now() + limitMs;
    else if (Date.now() >= endMs) throw notServedAgain(processId, needed);
    else if (!wasTold) {
      tellWaiting(processId, needed, context.err);
      wasTold = true;
    }
  }
}

export interface Patience {
  readonly limitMs: number;
  readonly lookMs: number;
}

export type NeededDevices = Pick<DevicesOfSet, 'main' | 'spares'>;

/** On a terminal in place of how far the work is, which the next line shows again. */
function tellWaiting(processId: number, needed: NeededDevices | null, err: Output): void {
  const line = `dmremap: process ${processId} ended; waiting until the set is served again: ${neededText(needed)}`;
  err.write(`${err.isTerminal ? START_OVER : ''}${line}\n`);
}

function notServedAgain(processId: number, needed: NeededDevices | null): DmRemapError {
  return new DmRemapError(
    'system',
    `process ${processId} ended and nobody serves the set again: see its log, and run it again; ${neededText(needed)}`,
  );
}

function neededText(needed: NeededDevices | null): string {
  if (needed === null) return '"dmremap scan" shows the devices that it has now';
  const { main, spares } = needed;
  const options = [['--main', main], ...spares.map((spare) => ['--spare', spare])];
  const known = options.filter((option): option is [string, string] => option[1] !== undefined);
  return `it needs ${commandLine(known.flat())}`;
}

/** Undefined while it is not served; a process that is just closing it refuses to tell. */
async function deviceOf(
  setId: string,
  { running }: Pick<CliContext, 'running'>,
): Promise<DeviceResource | undefined> {
  try {
    return (await running.all()).find(({ device }) => device.setId === setId)?.device;
  } catch (error) {
    const isBetween =
      error instanceof DmRemapError && (error.failure === 'system' || error.failure === 'device');
    if (isBetween) return undefined;
    throw error;
  }
}

/** As long as its unit gives a service to start, and something for who starts it (boot/dm-remap@.service). */
const PATIENCE: Patience = { limitMs: 240_000, lookMs: 200 };
