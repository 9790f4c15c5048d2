import { alignDown } from '../base/units.js';
import { type ListedBlockDevice, listBlockDevices } from '../kernel/block-devices.js';
import { deviceMajor, deviceMinor } from '../kernel/device-number.js';
import type { KnownDevice } from '../kernel/known-device.js';
import { statIfThere } from '../kernel/stat-if-there.js';
import { compareIdentity, hasIdentity } from './compare-identity.js';

/**
 * Where a block device that has vanished is now. One with a serial number or WWN may be anywhere: exactly one device of
 * the same size, the same partition of its disk, must have it; if several do (two paths to one disk), the one at the
 * path that was given counts, and if none is there, none. One without is looked for at its own path only.
 */
export function findBlockDevice(known: KnownDevice, host: BlockDeviceHost = THIS_HOST): BlockDeviceSearch {
  const { path, geometry } = known.device;
  const numberAtPath = host.numberAt(path);
  const devices = host.list();
  const atPath = devices.find(({ number }) => number === numberAtPath);
  if (!hasIdentity(geometry.identity)) return judgeByPath(known, atPath);
  const matching = devices.filter((device) => isPlacedAlike(known, device) && hasSameIdentity(known, device));
  const chosen = matching.find((device) => device === atPath) ?? matching[0];
  if (chosen === undefined) {
    const reason = 'another device; attach the one that is gone';
    return atPath === undefined ? { kind: 'absent' } : { kind: 'refused', name: path, reason };
  }
  if (matching.length > 1 && chosen !== atPath) {
    const names = matching.map((device) => device.path).join(', ');
    const reason = `several devices have its serial number; give the one to use as ${path}, or remove the others`;
    return { kind: 'refused', name: names, reason };
  }
  return { kind: 'there', path: chosen.path, proof: 'identity' };
}

export type BlockDeviceSearch =
  | { readonly kind: 'absent' }
  | { readonly kind: 'refused'; readonly name: string; readonly reason: string }
  | { readonly kind: 'there'; readonly path: string; readonly proof: 'identity' | 'samePath' };

export interface BlockDeviceHost {
  list(): ListedBlockDevice[];
  /** `MAJOR:MINOR` of the block device at a path; undefined if there is none. */
  numberAt(path: string): string | undefined;
}

function judgeByPath(
  { device: { path }, ...known }: KnownDevice,
  atPath: ListedBlockDevice | undefined,
): BlockDeviceSearch {
  if (atPath === undefined) return { kind: 'absent' };
  if (hasIdentity(atPath.identity()))
    return { kind: 'refused', name: path, reason: 'another device; attach the one that is gone' };
  return isSamePartition(known, atPath)
    ? { kind: 'there', path, proof: 'samePath' }
    : { kind: 'refused', name: path, reason: 'another partition; attach the device that is gone' };
}

/** The size is that of whole logical blocks, as when it was opened. */
function isPlacedAlike(known: KnownDevice, listed: ListedBlockDevice): boolean {
  const { sizeBytes, logicalBlockBytes } = known.device.geometry;
  return alignDown(listed.sizeBytes, logicalBlockBytes) === sizeBytes && isSamePartition(known, listed);
}

function isSamePartition({ partition }: Pick<KnownDevice, 'partition'>, listed: ListedBlockDevice): boolean {
  return (
    partition?.partitionNumber === listed.partition?.partitionNumber &&
    partition?.startSector === listed.partition?.startSector
  );
}

function hasSameIdentity(known: KnownDevice, listed: ListedBlockDevice): boolean {
  return compareIdentity(known.device.geometry.identity, listed.identity()) === 'same';
}

const THIS_HOST: BlockDeviceHost = { list: () => listBlockDevices(), numberAt };

function numberAt(path: string): string | undefined {
  const stats = statIfThere(path);
  if (stats === undefined || !stats.isBlockDevice()) return undefined;
  return `${deviceMajor(stats.rdev)}:${deviceMinor(stats.rdev)}`;
}
