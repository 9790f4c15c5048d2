import type { BootSet, Member } from '../boot/boot-set.js';
import { enabledSets } from '../boot/enabled-sets.js';
import { FileTree } from '../boot/file-tree.js';
import { nameMember } from '../boot/name-member.js';
import { setFiles, setPaths } from '../boot/set-files.js';
import type { DeviceResource } from '../control/schema/device.js';
import { DmRemapError } from '../library/errors.js';
import type { CliContext } from './cli-context.js';
import { resultOf } from './file-result.js';
import { nameAtBoot } from './set-traces.js';

/** What a set consists of now. */
export interface DevicesOfSet {
  readonly setId: string;
  /** Undefined: as before. */
  readonly main: string | undefined;
  readonly spares: readonly string[];
}

export function devicesOf({ setId, main, spares }: ServedDevices): DevicesOfSet {
  return { setId, main: main.path, spares: spares.map(({ path }) => path) };
}

/** With one more spare. */
export function devicesWith(set: ServedDevices, spare: string): DevicesOfSet {
  const devices = devicesOf(set);
  return { ...devices, spares: [...devices.spares, spare] };
}

/** Without this spare. */
export function devicesWithout(set: ServedDevices, spare: string): DevicesOfSet {
  const devices = devicesOf(set);
  return { ...devices, spares: devices.spares.filter((path) => path !== spare) };
}

type ServedDevices = Pick<DeviceResource, 'setId' | 'main' | 'spares'>;

/**
 * The devices of a set have changed: if it starts at boot, what starts it names those that it has now. Answers a line about
 * that; undefined: it does not start at boot, or that could not be done, which is told. The change itself is made already.
 */
export function followAtBoot(devices: DevicesOfSet, context: CliContext): string | undefined {
  try {
    return rewriteFiles(devices, context);
  } catch (error) {
    if (!(error instanceof DmRemapError)) throw error;
    const what = 'what starts the set at boot still names the devices that it had';
    context.err.write(`dmremap: warning: ${what}: ${error.message}\n`);
    return undefined;
  }
}

function rewriteFiles({ setId, main, spares }: DevicesOfSet, context: CliContext): string | undefined {
  const { machine } = context;
  const tree = new FileTree(machine.root);
  const name = nameAtBoot(setId, tree);
  if (name === undefined) return undefined;
  const before = resultOf(enabledSets(tree)).find((set) => set.name === name)!;
  const set: BootSet = {
    ...{ name, setId, options: before.options },
    main: named(main ?? before.main, context),
    spares: spares.map((path) => named(path, context)),
  };
  for (const file of setFiles(set)) resultOf(tree.write(file));
  // Disks in use are not looked at again: udev would wait for them. The next boot reads all of it.
  machine.run('udevadm', ['control', '--reload']);
  machine.run('systemctl', ['daemon-reload']);
  return `${name} starts at boot with the devices that it has now (${setPaths(name).environment})`;
}

/** One without a stable name is taken as it is: the set knows its devices, and refuses others. */
function named(path: string, { machine, err }: CliContext): Member {
  const { member, note } = resultOf(nameMember(path, machine, true));
  if (note !== undefined) err.write(`dmremap: note: ${note}\n`);
  return member;
}
