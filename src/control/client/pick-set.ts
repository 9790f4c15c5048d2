import { DmRemapError } from '../../library/errors.js';
import type { ReopenedSet } from '../run-directory.js';
import type { DeviceResource } from '../schema/device.js';
import { isSamePath } from './is-same-path.js';
import type { RunningSet } from './running-sets.js';

/**
 * The set that a person means: by name, set id, block device (or a link to it), main device or spare. Throws `DmRemapError`
 * that says what there is instead if it is none of these, or several. `reopened`: sets that will be there in a moment.
 * `forbidden`: sockets that this user may not ask.
 */
export function pickSet(
  all: readonly RunningSet[],
  wanted: string,
  reopened: readonly ReopenedSet[] = [],
  forbidden: readonly string[] = [],
): RunningSet {
  const named = all.filter(({ device }) => namesOf(device).includes(wanted));
  // A file in the working directory may have the name of another set: that is the set, then.
  const matching = named.length > 0 ? named : all.filter(({ device }) => isPathOf(device, wanted));
  const [only] = matching;
  if (only !== undefined && matching.length === 1) return only;
  const labels = (sets: readonly RunningSet[]): string => sets.map(({ device }) => device.setId).join(', ');
  if (only !== undefined)
    throw new DmRemapError('usage', `${wanted} means several sets: ${labels(matching)}; give the set id`);
  const there =
    all.length === 0
      ? 'none is (those on devices: dmremap scan)'
      : `these are: ${all.map(({ device }) => labelOf(device)).join(', ')}`;
  if (forbidden.length > 0) {
    const others = all.length === 0 ? '' : `; of those that answer ${there}`;
    const sockets = forbidden.join(', ');
    const message = `${wanted}: not permitted to ask all that are served (${sockets}); run as root${others}`;
    throw new DmRemapError('device', message);
  }
  throw new DmRemapError(
    'device',
    `${wanted}: no such set is served on this machine; ${there}${reopenedText(reopened)}`,
  );
}

function reopenedText(reopened: readonly ReopenedSet[]): string {
  if (reopened.length === 0) return '';
  const sets = reopened.map(({ setId, processId }) => `${setId} (process ${processId})`).join(', ');
  return `; being opened again or handed over: ${sets}, try again in a moment`;
}

/** By its name, set id, block device, main device or a spare. */
export function isMeant(device: DeviceResource, wanted: string): boolean {
  return (
    namesOf(device).includes(wanted) || device.setId === wanted.toLowerCase() || isPathOf(device, wanted)
  );
}

/** What a person calls it. */
export function labelOf({ name, setId }: Pick<DeviceResource, 'name' | 'setId'>): string {
  return name === '' ? setId : name;
}

function namesOf({ name, setId }: DeviceResource): string[] {
  return name === '' ? [setId] : [name, setId];
}

function isPathOf({ endpoints, main, spares }: DeviceResource, wanted: string): boolean {
  const blockDevices = endpoints.filter(({ kind }) => kind === 'ublk').map(({ address }) => address);
  const paths = [...blockDevices, main.path, ...spares.map(({ path }) => path)];
  return paths.some((path) => isSamePath(path, wanted));
}
