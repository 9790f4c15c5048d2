import { commandLine } from '../base/shell-words.js';
import type { ControlClient } from '../control/client/control-client.js';
import { labelOf } from '../control/client/pick-set.js';
import type { RunningSet } from '../control/client/running-sets.js';
import type { HandReport, ProtectedDevice, SectorRange } from '../library/device-types.js';
import { DmRemapError } from '../library/errors.js';
import type { CliContext } from './cli-context.js';
import { refuseDuringEvacuation } from './refuse-during-evacuation.js';
import { uncleanStopOf } from './unclean-stop.js';

/** A set whose moved units are brought back to its main device, one after the other. */
export interface SetToLeave {
  readonly setId: string;
  /** What a person calls it. */
  readonly label: string;
  readonly main: string;
  readonly spares: readonly string[];
  /** Where the moved units are. */
  remaps(): Promise<readonly SectorRange[]>;
  giveBack(range: SectorRange): Promise<HandReport>;
  /** Nobody serves it afterwards; rejects while somebody uses it. */
  stop(): Promise<void>;
}

/** One that a process serves. */
export async function servedSet(wanted: string, context: CliContext): Promise<SetToLeave> {
  const set = await context.running.one(wanted);
  const { client, device } = set;
  refuseDuringEvacuation(device, commandLine(['dmremap', 'evacuate', wanted, '--cancel']));
  return {
    setId: device.setId,
    label: labelOf(device),
    main: device.main.path,
    spares: device.spares.map(({ path }) => path),
    remaps: async () => (await client.remaps()).map(rangeOf),
    giveBack: (range) => client.giveBack(range),
    stop: () => stopServing(set, client, context),
  };
}

/** One that nobody serves; it is open until `stop`. */
export async function openedSet(
  main: string,
  spares: readonly string[],
  { library }: CliContext,
): Promise<SetToLeave> {
  const device = await library.openDevice({ main, spares });
  const { setId, name } = device.info;
  return {
    setId,
    label: labelOf({ setId, name }),
    main,
    spares,
    remaps: () => allRemaps(device),
    giveBack: (range) => device.giveBack(range),
    stop: async () => {
      await device.close();
    },
  };
}

async function allRemaps(device: Pick<ProtectedDevice, 'remaps'>): Promise<readonly SectorRange[]> {
  const all: SectorRange[] = [];
  for (let from: number | null = 0; from !== null; ) {
    const page = await device.remaps({ firstSpareUnit: from });
    all.push(...page.remaps.map(rangeOf));
    from = page.nextSpareUnit;
  }
  return all;
}

function rangeOf(remap: { readonly mainSector: number; readonly sectorCount: number }): SectorRange {
  return { firstSector: remap.mainSector, sectorCount: remap.sectorCount };
}

/** Its users are looked for anew: much may have happened since the set was named. */
async function stopServing(
  { device }: RunningSet,
  client: Pick<ControlClient, 'device'>,
  { library, runDirectory }: Pick<CliContext, 'library' | 'runDirectory'>,
): Promise<void> {
  const { connections, endpoints, processId, main } = await client.device();
  if (connections > 0)
    throw new DmRemapError(
      'refused',
      `${labelOf(device)}: everything lives on ${main.path} again, but NBD clients use the set; end them, then call this again`,
    );
  const blockDevice = endpoints.find(({ kind }) => kind === 'ublk');
  if (blockDevice === undefined) await library.endProcess(processId);
  else await library.stopBlockDevice(blockDevice.address, { force: false });
  const problem = await uncleanStopOf(device.setId, labelOf(device), { runDirectory });
  if (problem !== undefined) throw problem;
}
