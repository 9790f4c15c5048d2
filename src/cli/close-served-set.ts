import type { ControlServer } from '../control/control-server.js';
import type { ProtectedDevice } from '../library/device-types.js';
import { DmRemapError } from '../library/errors.js';
import type { CliContext } from './cli-context.js';

/** Closes a set that this process has served. Whoever asks for the stop does not see its status: what was not clean is noted. */
export async function closeServedSet(
  device: ProtectedDevice,
  control: ControlServer | undefined,
  { runDirectory }: Pick<CliContext, 'runDirectory'>,
): Promise<void> {
  try {
    await device.close();
  } catch (error) {
    // Without the socket another process was asked, which serves a set with the same id.
    if (control !== undefined && runDirectory !== undefined && error instanceof DmRemapError) {
      const { noteUncleanStop } = await import('../control/unclean-stop.js');
      await noteUncleanStop(runDirectory, device.info.setId, error);
    }
    throw error;
  }
}
