import type { DeviceResource } from '../control/schema/device.js';
import { DmRemapError } from '../library/errors.js';

/** The set would be closed, and the copying interrupted, or of no use. */
export function refuseDuringEvacuation(
  { evacuation }: Pick<DeviceResource, 'evacuation'>,
  cancelCommand: string,
): void {
  if (evacuation?.state !== 'copying' && evacuation?.state !== 'copied') return;
  throw new DmRemapError(
    'refused',
    `everything is being copied to ${evacuation.path}; wait for its end, or cancel it: ${cancelCommand}`,
  );
}
