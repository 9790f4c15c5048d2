import { randomBytes } from 'node:crypto';
import { problemOfSetName } from '../base/set-name.js';
import { formatSet } from '../device/format-set.js';
import type { Layout } from '../format/layout.js';
import { type LayoutFailure, planLayout } from '../format/plan-layout.js';
import { usableUnitCount } from '../format/reserved-units.js';
import { formatUuid, uuidFromRandom } from '../format/set-id.js';
import { SAMPLE_COUNT, type Superblock } from '../format/superblock.js';
import { NO_IDENTITY } from '../ports/block-store.js';
import { OfflineSession } from '../runtime/offline-session.js';
import { DmRemapError } from './errors.js';
import { type ExaminedSpare, examineSpares, findChanged } from './examine-spares.js';
import { describeLayoutFailure } from './layout-message.js';
import type { FormatOptions, FormatPlan, FormatTarget } from './offline-types.js';
import { hasChanged } from './repair-metadata.js';
import { unusedTailBytes } from './unused-tail.js';

/** What `formatSpares` would do, without writing; rejects with `DmRemapError` where it would refuse. */
export async function planFormat(options: FormatOptions): Promise<FormatPlan> {
  return (await prepareFormat(options)).plan;
}

/** Writes the metadata of a new set to the spares. The main device is only looked at. */
export async function formatSpares(options: FormatOptions): Promise<FormatPlan> {
  const { plan, superblock, spares } = await prepareFormat(options);
  const main = { path: options.main, readOnly: true, exclusive: options.holdsMain === true };
  const opened = OfflineSession.open([main, ...options.spares.map((path) => ({ path, readOnly: false }))]);
  if (!opened.ok) throw DmRemapError.of(opened.error);
  const session = opened.value;
  try {
    // Somebody else may have formatted them since.
    const changed = await findChanged(session, 1, spares);
    if (changed !== undefined) throw hasChanged([changed]);
    const errno = await session.run(formatSet(superblock, session.memory, session.bufferOffset));
    if (errno !== 0)
      throw new DmRemapError(
        'io',
        `${options.spares.join(', ')}: the metadata can't be written; use another spare`,
      );
  } finally {
    session.close();
  }
  return plan;
}

/** For `init`: formats spares that hold nothing; does nothing if they belong to a set already. */
export async function formatIfBlank(options: FormatOptions): Promise<void> {
  const { spares } = await examineSpares(options.main, options.spares);
  if (spares.some((spare) => spare.set !== undefined)) return;
  const used = spares.find((spare) => !spare.isBlank || spare.signature !== null);
  if (used !== undefined) {
    const what = used.signature ?? 'something that is not known';
    throw new DmRemapError(
      'refused',
      `${used.path}: holds ${what}, so it is not formatted on the way; use "dmremap format" if it may be overwritten`,
    );
  }
  await formatSpares({ ...options, holdsMain: true });
}

/** What formatting would do, and the superblock that it would write; rejects where it would refuse. Writes nothing. */
export async function prepareFormat(options: FormatOptions): Promise<PreparedFormat> {
  const nameProblem = problemOfSetName(options.name ?? '');
  if (nameProblem !== undefined) throw new DmRemapError('usage', `name: ${nameProblem}`);
  const { main, spares } = await examineSpares(options.main, options.spares);
  if (options.force !== true) {
    refuseSpareAsMain(main);
    spares.forEach(refuseIfUsed);
  }
  const { logicalBlockBytes } = main.geometry;
  const unitBytes = options.unitBytes ?? Math.max(4096, logicalBlockBytes);
  const copyCount = options.copies ?? Math.max(5, spares.length);
  const layout = planLayout({
    mainSizeBytes: main.geometry.sizeBytes,
    logicalBlockBytes,
    unitBytes,
    copyCount,
    spareSizesBytes: spares.map((spare) => spare.geometry.sizeBytes),
  });
  if (!layout.ok) throw refusal(layout.error, options);
  const superblock = firstSuperblock(options.name ?? '', main, layout.value);
  const plan: FormatPlan = {
    setId: formatUuid(superblock.setId),
    name: superblock.name,
    main: targetOf(main),
    mainUnusedBytes: unusedTailBytes(main.path, logicalBlockBytes),
    spares: spares.map(targetOf),
    unitBytes,
    logicalBlockBytes,
    copies: layout.value.copies.map(({ spareIndex, offsetBytes }) => ({ spareIndex, offsetBytes })),
    usableSpareUnits: usableUnitCount(layout.value),
  };
  return { plan, superblock, spares };
}

export interface PreparedFormat {
  readonly plan: FormatPlan;
  readonly superblock: Superblock;
  /** As they were looked at. */
  readonly spares: readonly ExaminedSpare[];
}

function refuseSpareAsMain({ path, set }: ExaminedSpare): void {
  if (set === undefined) return;
  throw new DmRemapError(
    'refused',
    `${path}: is a spare of set ${set}; were main and spare swapped? --force takes it as main`,
  );
}

function refuseIfUsed(spare: ExaminedSpare): void {
  if (spare.signature === null) return;
  throw new DmRemapError(
    'refused',
    `${spare.path}: holds ${spare.signature}; choose another spare, or use --force to overwrite it`,
  );
}

function refusal(problem: LayoutFailure, options: FormatOptions): DmRemapError {
  return new DmRemapError('usage', describeLayoutFailure(problem, options.main, options.spares));
}

function firstSuperblock(name: string, main: ExaminedSpare, layout: Layout): Superblock {
  const identity = main.geometry.identity ?? NO_IDENTITY;
  const now = Math.floor(Date.now() / 1000);
  return {
    ...layout,
    features: { compat: 0, roCompat: 0, incompat: 0 },
    // The main device may be in use until the set is first opened: there is nothing to compare its contents with.
    cleanShutdown: false,
    pageSequenceSum: 0,
    copyPosition: undefined,
    setId: uuidFromRandom(randomBytes(16)),
    sequence: 1,
    generation: 1,
    logicalBlockBytes: main.geometry.logicalBlockBytes,
    openCount: 0,
    mainSizeBytes: main.geometry.sizeBytes,
    createdSeconds: now,
    updatedSeconds: now,
    name,
    mainModel: identity.model,
    mainSerial: identity.serial,
    mainWwn: identity.wwn,
    mainDeviceBytes: 0,
    mainDeviceBlockBytes: 0,
    contentSample: { validMask: 0, crcs: new Array<number>(SAMPLE_COUNT).fill(0) },
    spares: layout.spares.map((spare) => ({
      ...spare,
      uuid: uuidFromRandom(randomBytes(16)),
      initialisedPageCount: 0,
    })),
    onLost: 0,
    counters: [],
    settings: [],
  };
}

function targetOf(device: ExaminedSpare): FormatTarget {
  const { sizeBytes, identity } = device.geometry;
  return {
    path: device.path,
    sizeBytes,
    model: identity.model,
    serial: identity.serial,
    signature: device.signature,
  };
}
