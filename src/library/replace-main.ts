import { replaceMain as replaceMainOf } from '../device/replace-main.js';
import { sampleContent } from '../device/sample-content.js';
import type { SurveyedSet } from '../device/survey-set.js';
import { compareFingerprint, recordedFingerprint } from '../format/fingerprint.js';
import { formatUuid } from '../format/set-id.js';
import type { Geometry } from '../ports/block-store.js';
import { misfitOfReplacement } from '../runtime/evacuation-calls.js';
import { DmRemapError } from './errors.js';
import { refuseRepeatedPaths } from './examine-spares.js';
import { MetadataSession } from './metadata-session.js';
import type { TransferWatch } from './metadata-types.js';
import { hasChanged } from './repair-metadata.js';
import { makeWhole, wholeSetOf } from './whole-set.js';

/** What `replaceMain` takes: a set that is not at work, whole, and the disk that is to be its main device. */
export interface ReplaceMainOptions extends TransferWatch {
  readonly spares: readonly string[];
  readonly device: string;
  /**
   * `all`: the disk is a copy of the old one as it was, so what was moved lives on the spares still. `withLoss`: it holds
   * what the set held, and only lost blocks are remembered.
   */
  readonly remaps: 'all' | 'withLoss';
  /** Also where its contents differ from what was recorded, or can't be compared. */
  readonly force?: boolean | undefined;
  /** So long the devices may be in use yet. */
  readonly openPatienceMs?: number | undefined;
}

/** What replacing would do, for consent; and afterwards what was done. */
export interface ReplaceMainPlan {
  readonly setId: string;
  readonly name: string;
  /** As recorded. */
  readonly before: { readonly sizeBytes: number; readonly model: string; readonly serial: string };
  readonly device: {
    readonly path: string;
    readonly sizeBytes: number;
    readonly model: string;
    readonly serial: string;
  };
  /** Blocks whose contents could be compared with what was recorded at the last clean stop, and how many differ. */
  readonly comparedBlocks: number;
  readonly differingBlocks: number;
  /** Units that live on spares afterwards. */
  readonly remappedUnits: number;
  readonly unitsWithLostBlocks: number;
}

/** What `replaceMain` would do. Writes nothing; rejects where it would refuse. */
export async function planReplaceMain(options: ReplaceMainOptions): Promise<ReplaceMainPlan> {
  const { spares, device } = options;
  refuseRepeatedPaths([...spares, device]);
  return MetadataSession.use([...spares, device], 'look', options, async (session) => {
    const set = await wholeSetOf(session, spares.length);
    arrange(session, set, spares.length);
    return planFor(session, set, options);
  });
}

/**
 * Makes another disk the main device: in one step, so that a power cut leaves the set with the old one or the new one.
 * `expected`: of `planReplaceMain`, if somebody has agreed to that.
 */
export async function replaceMain(
  options: ReplaceMainOptions,
  expected?: ReplaceMainPlan,
): Promise<ReplaceMainPlan> {
  const { spares, device, remaps } = options;
  refuseRepeatedPaths([...spares, device]);
  return MetadataSession.use([...spares, device], 'write', options, async (session) => {
    const set = await wholeSetOf(session, spares.length);
    arrange(session, set, spares.length);
    const plan = await planFor(session, set, options);
    if (expected !== undefined && JSON.stringify(expected) !== JSON.stringify(plan))
      throw hasChanged([...spares, device]);
    await makeWhole(session, set);
    // A repair may have updated the superblock: what follows must not use its number again.
    const repaired = await wholeSetOf(session, spares.length);
    const geometry = session.geometries[spares.length]!;
    const errno = await session.run(replaceMainOf(session.workOn(repaired), geometry, remaps));
    if (errno !== 0) throw new DmRemapError('io', `${spares.join(', ')}: the metadata can't be written`);
    return plan;
  });
}

function arrange(session: MetadataSession, { choice }: SurveyedSet, mainPosition: number): void {
  session.arrangeSpares(choice.deviceOfSpare);
  session.arrangeMain(mainPosition);
}

async function planFor(
  session: MetadataSession,
  set: SurveyedSet,
  { spares, device, remaps, force }: ReplaceMainOptions,
): Promise<ReplaceMainPlan> {
  const { superblock } = set.choice;
  const geometry = session.geometries[spares.length]!;
  const { mainSizeBytes: sizeBytes, logicalBlockBytes } = superblock;
  const problem = misfitOfReplacement(device, geometry, { sizeBytes, logicalBlockBytes });
  if (problem !== undefined) throw DmRemapError.of(problem);
  // A disk that was filled by the set itself needs no proof: where something was discarded, the two may differ.
  const contents = remaps === 'all' ? await compareContents(session, set, geometry) : NOT_COMPARED;
  if (force !== true && remaps === 'all') refuseOther(device, contents);
  const { mappedCount, unitsWithLossCount } = set.table;
  const { model, serial } = geometry.identity;
  return {
    setId: formatUuid(superblock.setId),
    name: superblock.name,
    before: {
      sizeBytes: recordedFingerprint(superblock).sizeBytes,
      model: superblock.mainModel,
      serial: superblock.mainSerial,
    },
    device: { path: device, sizeBytes: geometry.sizeBytes, model, serial },
    ...contents,
    remappedUnits: remaps === 'all' ? mappedCount : unitsWithLossCount,
    unitsWithLostBlocks: unitsWithLossCount,
  };
}

interface ComparedContents {
  readonly comparedBlocks: number;
  readonly differingBlocks: number;
}

/** What lives on spares is not compared: a copy of the old disk has nothing or old contents there. */
async function compareContents(
  session: MetadataSession,
  { choice, table }: SurveyedSet,
  geometry: Geometry,
): Promise<ComparedContents> {
  const { superblock } = choice;
  const recorded = recordedFingerprint(superblock);
  if (!superblock.cleanShutdown) return { comparedBlocks: 0, differingBlocks: 0 };
  const { validMask } = recorded.contentSample;
  const skip = (index: number, offsetBytes: number): boolean =>
    ((validMask >>> index) & 1) === 0 || table.find(Math.floor(offsetBytes / superblock.unitBytes)) !== -1;
  const { memory, bufferOffset } = session;
  const contentSample = await session.run(
    sampleContent(superblock.mainSizeBytes, memory, bufferOffset, skip),
  );
  const { sizeBytes, logicalBlockBytes, identity } = geometry;
  const actual = { sizeBytes, logicalBlockBytes, ...identity, contentSample };
  const content = compareFingerprint(recorded, actual, true).find(({ kind }) => kind === 'content');
  const comparedBlocks = [...contentSample.crcs.keys()].filter(
    (index) => ((contentSample.validMask >>> index) & 1) === 1,
  ).length;
  return { comparedBlocks, differingBlocks: content?.kind === 'content' ? content.differingCount : 0 };
}

const NOT_COMPARED: ComparedContents = { comparedBlocks: 0, differingBlocks: 0 };

function refuseOther(device: string, { comparedBlocks, differingBlocks }: ComparedContents): void {
  if (differingBlocks > 0)
    throw new DmRemapError(
      'refused',
      `${device}: ${differingBlocks} of ${comparedBlocks} sampled blocks differ from the main device at its last stop: it is no copy, or an old one (--force takes it all the same)`,
    );
  if (comparedBlocks > 0) return;
  throw new DmRemapError(
    'refused',
    `${device}: whether it is a copy of the main device can't be told, as that was not stopped cleanly; start and stop the set with the old one, or use --force`,
  );
}
