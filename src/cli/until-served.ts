import { setTimeout as delay } from 'node:timers/promises';
import type { DeviceResource } from '../control/schema/device.js';
import { DmRemapError } from '../library/errors.js';
import type { CliContext } from './cli-context.js';

/**
 * Waits for a process that has changed its set and starts itself again; `isChanged`: how the set looks then, which is
 * answered. As long as
 * the process lives it may take its time: to be told to run the set again would bring a second one. When it has died, the
 * one that takes its place (of a service manager) has `limitMs`.
 */
export async function untilServed(
  { setId, processId }: Pick<DeviceResource, 'setId' | 'processId'>,
  context: Pick<CliContext, 'running' | 'library'>,
  isChanged: (device: DeviceResource) => boolean,
  { limitMs, lookMs }: Patience = PATIENCE,
): Promise<DeviceResource> {
  for (let endMs = Date.now() + limitMs; ; await delay(lookMs)) {
    const device = await deviceOf(setId, context);
    if (device !== undefined && isChanged(device)) return device;
    if (await context.library.isProcessAlive(processId)) endMs = Date.now() + limitMs;
    else if (Date.now() >= endMs) throw notServedAgain(processId);
  }
}

export interface Patience {
  readonly limitMs: number;
  readonly lookMs: number;
}

function notServedAgain(processId: number): DmRemapError {
  return new DmRemapError(
    'system',
    `process ${processId} ended and nobody serves the set again: see its log, and run it with the devices that it has now`,
  );
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
