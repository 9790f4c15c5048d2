import type { ProtectedDevice } from '../../library/device-types.js';
import { DmRemapError } from '../../library/errors.js';

/** Before a spare is emptied: the others have to have room for what lives on it. Rejects where they have not. */
export async function refuseWithoutRoom(
  device: Pick<ProtectedDevice, 'spareUse'>,
  spareIndex: number,
  toSpareIndex: number | undefined,
): Promise<void> {
  const use = await device.spareUse();
  const from = use[spareIndex];
  // Whoever empties it says what is wrong with the number.
  if (from === undefined || use.length === 1) return;
  if (toSpareIndex !== undefined) refuseDestination(spareIndex, toSpareIndex, use);
  const room = roomBeside(spareIndex, use);
  if (room === undefined || from.livingUnits <= room) return;
  throw new DmRemapError(
    'refused',
    `spare ${spareIndex}: ${from.livingUnits} unit(s) live on it, and the others have room for ${room}; add a spare first`,
  );
}

/** Units that the other spares could take, if one that refused a unit takes them now; undefined: all are being emptied. */
export function roomBeside(
  spareIndex: number,
  use: readonly { readonly isLeaving: boolean; readonly freeUnits: number }[],
): number | undefined {
  const others = use.filter(({ isLeaving }, index) => !isLeaving && index !== spareIndex);
  return others.length === 0 ? undefined : others.reduce((sum, { freeUnits }) => sum + freeUnits, 0);
}

function refuseDestination(
  spareIndex: number,
  toSpareIndex: number,
  use: Awaited<ReturnType<ProtectedDevice['spareUse']>>,
): void {
  const to = use[toSpareIndex];
  if (to === undefined)
    throw new DmRemapError('usage', `spare ${toSpareIndex}: the set has ${use.length}, from 0 on`);
  if (toSpareIndex === spareIndex)
    throw new DmRemapError('usage', `spare ${spareIndex}: can't be emptied to itself`);
  if (to.isLeaving)
    throw new DmRemapError('refused', `spare ${toSpareIndex}: takes no units: it is being emptied itself`);
}
