import { isSamePath } from '../control/client/is-same-path.js';
import type { DeviceResource } from '../control/schema/device.js';
import { DmRemapError } from '../library/errors.js';

/** The index of a spare of a set at work, by its number or by any path that leads to it. */
export function spareNumber(spare: string, device: Pick<DeviceResource, 'spares'>): number {
  const index = findSpare(spare, device);
  if (index !== undefined) return index;
  const list = device.spares.map(({ path }, nth) => `${nth} (${path})`).join(', ');
  throw new DmRemapError('usage', `${spare}: no spare of the set; it has ${list}`);
}

export function findSpare(spare: string, { spares }: Pick<DeviceResource, 'spares'>): number | undefined {
  const index = isSpareNumber(spare)
    ? Number(spare)
    : spares.findIndex(({ path }) => isSamePath(path, spare));
  return spares[index] === undefined ? undefined : index;
}

export function isSpareNumber(spare: string): boolean {
  return /^[0-7]$/.test(spare);
}
