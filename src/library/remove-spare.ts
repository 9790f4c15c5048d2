import { ERRNO } from '../base/errno.js';
import { removeSpare as removeSpareFrom } from '../device/remove-spare.js';
import { writeSuperblock } from '../device/write-superblock.js';
import { planRemovedSpare } from '../format/plan-removed-spare.js';
import { usableUnitCount } from '../format/reserved-units.js';
import { formatUuid } from '../format/set-id.js';
import { DmRemapError } from './errors.js';
import { leftToStart } from './left-to-start.js';
import { MetadataSession } from './metadata-session.js';
import type { RemoveSpareOptions, RemoveSpareResult } from './spare-types.js';
import { makeWhole, wholeSetOf } from './whole-set.js';

/**
 * Takes a spare on which nothing lives out of a set that is not at work: in one step, so that a power cut leaves the set
 * with it or without it. Afterwards the device holds nothing of the set.
 */
export async function removeSpare(options: RemoveSpareOptions): Promise<RemoveSpareResult> {
  const { spares, device } = options;
  const position = spares.indexOf(device);
  if (position === -1) throw new DmRemapError('usage', `${device}: is not among the spares that were given`);
  if (spares.length === 1)
    throw new DmRemapError('usage', `${device}: the only spare of the set; add another one first`);
  let wasClean = false;
  const result = await MetadataSession.use(spares, 'write', options, async (session) => {
    const set = await wholeSetOf(session);
    session.arrangeSpares(set.choice.deviceOfSpare);
    wasClean = set.choice.superblock.cleanShutdown;
    await makeWhole(session, set);
    // A repair may have updated the superblock: what follows must not use its number again.
    const repaired = await wholeSetOf(session);
    const { superblock } = repaired.choice;
    const spareIndex = repaired.choice.deviceOfSpare.indexOf(position);
    const plan = planRemovedSpare(superblock, spareIndex);
    const errno = await session.run(removeSpareFrom(session.workOn(repaired), plan, spareIndex));
    if (errno === ERRNO.EBUSY)
      throw new DmRemapError(
        'refused',
        `${device}: units live on it; serve the set, and use "dmremap spare remove" with --set`,
      );
    if (errno !== 0) throw new DmRemapError('io', `${spares.join(', ')}: the metadata can't be written`);
    return {
      setId: formatUuid(superblock.setId),
      name: superblock.name,
      path: device,
      unitBytes: superblock.unitBytes,
      usableSpareUnits: usableUnitCount(plan.layout),
    };
  });
  const left = spares.filter((path) => path !== device);
  return { ...result, leftToStart: await leftToStart(complete({ ...options, spares: left }, wasClean)) };
}

/** Pages with the old numbers go, and the mark of a clean stop comes back. */
function complete(options: RemoveSpareOptions, wasClean: boolean): Promise<void> {
  return MetadataSession.use(options.spares, 'write', options, async (session) => {
    const set = await wholeSetOf(session);
    session.arrangeSpares(set.choice.deviceOfSpare);
    await makeWhole(session, set);
    if (!wasClean) return;
    const whole = await wholeSetOf(session);
    if (whole.load.maybeOutdatedPages.length > 0) return;
    await session.run(writeSuperblock(session.workOn(whole), { cleanShutdown: true }));
  });
}
