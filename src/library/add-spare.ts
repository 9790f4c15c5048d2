import { randomBytes } from 'node:crypto';
import { addSpare as addSpareTo } from '../device/add-spare.js';
import type { SurveyedSet } from '../device/survey-set.js';
import type { Layout } from '../format/layout.js';
import { planAddedSpare } from '../format/plan-added-spare.js';
import { usableUnitCount } from '../format/reserved-units.js';
import { formatUuid, uuidFromRandom } from '../format/set-id.js';
import { DmRemapError } from './errors.js';
import { type ExaminedSpare, examineSpares, findChanged, refuseMember } from './examine-spares.js';
import { describeLayoutFailure } from './layout-message.js';
import { leftToStart } from './left-to-start.js';
import { MetadataSession } from './metadata-session.js';
import { hasChanged } from './repair-metadata.js';
import type { AddSpareOptions, AddSparePlan, AddSpareResult } from './spare-types.js';
import { makeWhole, wholeSetOf } from './whole-set.js';

/** What `addSpare` would do. Writes nothing; rejects where it would refuse. */
export async function planAddSpare(options: AddSpareOptions): Promise<AddSparePlan> {
  refuseMember(options.device, options.main, options.spares);
  const examined = await examine(options);
  return MetadataSession.use(options.spares, 'look', options, async (session) => {
    const set = await wholeSetOf(session);
    return planFor(set, layoutFor(set, examined, options), examined);
  });
}

/**
 * Makes a device the next spare of a set that is not at work: in one step, so that a power cut leaves the set with it or
 * without it. Then its copies of the map are completed. `expected`: of `planAddSpare`, if somebody has agreed to that.
 */
export async function addSpare(options: AddSpareOptions, expected?: AddSparePlan): Promise<AddSpareResult> {
  const { spares, device } = options;
  const examined = await examine(options);
  const added = await MetadataSession.use([...spares, device], 'write', options, async (session) => {
    // Somebody else may have made it something since.
    const changed = await findChanged(session, spares.length, [examined]);
    if (changed !== undefined) throw hasChanged([changed]);
    const set = await wholeSetOf(session, spares.length);
    const layout = layoutFor(set, examined, options);
    const plan = planFor(set, layout, examined);
    if (expected !== undefined && JSON.stringify(expected) !== JSON.stringify(plan))
      throw hasChanged([...spares, device]);
    session.arrangeSpares([...set.choice.deviceOfSpare, spares.length]);
    await makeWhole(session, set);
    // A repair may have updated the superblock: what follows must not use its number again.
    const repaired = await wholeSetOf(session, spares.length);
    const uuid = uuidFromRandom(randomBytes(16));
    const errno = await session.run(addSpareTo(session.workOn(repaired), layout, uuid));
    if (errno !== 0)
      throw new DmRemapError(
        'io',
        `${device}: the metadata can't be written; the set is as it was, use another`,
      );
    return plan;
  });
  const left = await leftToStart(complete({ ...options, spares: [...spares, device] }));
  return { ...added, leftToStart: left };
}

async function examine({ main, spares, device, force }: AddSpareOptions): Promise<ExaminedSpare> {
  const { spares: all } = await examineSpares(main, [...spares, device]);
  const examined = all.at(-1)!;
  if (examined.signature !== null && force !== true)
    throw new DmRemapError(
      'refused',
      `${device}: holds ${examined.signature}; choose another device, or use --force to overwrite it`,
    );
  return examined;
}

function layoutFor({ choice }: SurveyedSet, added: ExaminedSpare, { main, spares }: AddSpareOptions): Layout {
  const { superblock } = choice;
  const layout = planAddedSpare(superblock, added.geometry.sizeBytes);
  if (layout.ok) return layout.value;
  throw new DmRemapError('usage', describeLayoutFailure(layout.error, main, [...spares, added.path]));
}

function planFor({ choice }: SurveyedSet, layout: Layout, added: ExaminedSpare): AddSparePlan {
  const { superblock } = choice;
  const { path, geometry, signature } = added;
  const { sizeBytes, identity } = geometry;
  const { model, serial } = identity;
  return {
    setId: formatUuid(superblock.setId),
    name: superblock.name,
    device: { path, sizeBytes, model, serial, signature },
    spareIndex: superblock.spares.length,
    unitBytes: superblock.unitBytes,
    usableSpareUnitsBefore: usableUnitCount(superblock),
    usableSpareUnits: usableUnitCount(layout),
  };
}

/** The new copies get the map. */
function complete(options: AddSpareOptions): Promise<void> {
  return MetadataSession.use(options.spares, 'write', options, async (session) => {
    const set = await wholeSetOf(session);
    session.arrangeSpares(set.choice.deviceOfSpare);
    await makeWhole(session, set);
  });
}
