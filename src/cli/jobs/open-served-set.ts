import { servedSetsIn } from '../../control/abandoned-sockets.js';
import type { DeviceNotice, OpenDeviceOptions, ProtectedDevice } from '../../library/device-types.js';
import type { CliContext } from '../cli-context.js';
import { JobMemory } from './job-memory.js';
import { jobPlaces } from './job-places.js';
import { leavingSparesIn, readJobFiles } from './read-job-files.js';

/** Opens the set, on whose spares nothing is placed that an earlier process was emptying. */
export async function openServedSet(
  options: ServedOptions,
  context: Surroundings,
  onEvent: (notice: DeviceNotice) => void,
): Promise<{ readonly device: ProtectedDevice; readonly remembered: JobMemory }> {
  const warn = (event: string, message: string): void =>
    onEvent({ level: 'warn', event, message, details: {} });
  const archive = options.archive ?? context.serviceManager.stateDirectory;
  const places = placesOf(options, context);
  const files = await readJobFiles(places);
  for (const problem of files.problems) warn('jobsUnknown', problem);
  const leavingSpares = leavingSparesIn(files);
  const servedSetIds = (): Promise<readonly string[]> => servedSetsIn(context.runDirectory);
  const device = await context.library.openDevice({
    ...options,
    ...{ archive, leavingSpares, onEvent },
    servedSetIds: options.force === true ? undefined : servedSetIds,
  });
  const { setId } = device.info;
  const remembered = new JobMemory(places, setId, files.bySet.get(setId), (problem) =>
    warn('jobsNotRemembered', problem),
  );
  return { device, remembered };
}

/** Where jobs are remembered. */
function placesOf({ archive }: ServedOptions, context: Surroundings): readonly string[] {
  const { serviceManager, stateDirectory: machine, runDirectory } = context;
  return jobPlaces({ manager: serviceManager.stateDirectory, archive, machine, runDirectory });
}

type ServedOptions = Omit<OpenDeviceOptions, 'onEvent'>;
type Surroundings = Pick<CliContext, 'serviceManager' | 'stateDirectory' | 'runDirectory'> & {
  readonly library: Pick<CliContext['library'], 'openDevice'>;
};
