import { commandLine } from '../base/shell-words.js';
import { scanAnchors, wipeAnchors } from '../device/wipe-anchors.js';
import { wipeNotes } from '../device/wipe-notes.js';
import { spareTarget } from '../engine/effect.js';
import { DmRemapError } from './errors.js';
import { inspectSpares } from './inspect-spares.js';
import { lookAtDevice } from './look-at-device.js';
import { MetadataSession } from './metadata-session.js';

/**
 * What `wipeSet` would erase: the metadata of a set on these devices. Rejects where one of them is no spare of the set, and,
 * unless `force`, where units live on them or nobody can tell.
 */
export async function planWipe(options: WipeOptions): Promise<WipePlan> {
  const { setId, spares, force } = options;
  const targets: WipeTarget[] = [];
  for (const path of spares) targets.push(await targetOf(path, options));
  const moved = await movedUnitsOf(spares);
  if (force !== true) refuseLoss(moved, options);
  return { setId, spares: targets, ...moved };
}

/**
 * Erases every place where the set could be found: text notes first, then the superblocks, the newest last, so that a power
 * cut leaves a set of its last state, or none. `expected`: what was shown; units that moved since then are not given up.
 */
export async function wipeSet(options: WipeOptions, expected: WipePlan): Promise<WipePlan> {
  const { spares } = options;
  return MetadataSession.use(spares, 'write', {}, async (session) => {
    const plan = await planWipe(options);
    if (plan.movedUnits !== expected.movedUnits)
      throw new DmRemapError(
        'refused',
        `${spares.join(', ')}: changed since it was shown; nothing was erased`,
      );
    session.arrangeSpares([...spares.keys()]);
    const { memory, geometries, bufferOffset: readOffset, writeOffset } = session;
    let isGone = true;
    for (const [position, { sizeBytes }] of geometries.entries()) {
      const place = { target: spareTarget(position), sizeBytes, memory, bufferOffset: writeOffset };
      isGone = (await session.run(wipeNotes(place))) && isGone;
    }
    const superblock = { spares: geometries };
    const anchors = await session.run(scanAnchors({ superblock, memory, readOffset }));
    isGone = (await session.run(wipeAnchors({ superblock, memory, writeOffset }, anchors))) && isGone;
    if (isGone) return plan;
    throw new DmRemapError('io', `${spares.join(', ')}: not all of the metadata could be erased`);
  });
}

export interface WipeOptions {
  readonly setId: string;
  /** All that were found. */
  readonly spares: readonly string[];
  /** Units that live on the spares are lost. */
  readonly force?: boolean | undefined;
}

export interface WipePlan {
  readonly setId: string;
  readonly spares: readonly WipeTarget[];
  /** That live on spares, on those that were not found, too; null: the map can't be read. */
  readonly movedUnits: number | null;
  /** Of the set, that were not given. */
  readonly missingSpares: number;
}

export interface WipeTarget {
  readonly path: string;
  readonly sizeBytes: number;
  readonly model: string;
  readonly serial: string;
}

async function targetOf(path: string, { setId, force }: WipeOptions): Promise<WipeTarget> {
  const { superblocks, sizeBytes, identity } = await lookAtDevice(path);
  if (!superblocks.has(setId))
    throw new DmRemapError('refused', `${path}: is no spare of set ${setId}; nothing was erased`);
  const [other] = [...superblocks.keys()].filter((each) => each !== setId);
  if (other !== undefined && force !== true)
    throw new DmRemapError('refused', `${path}: carries metadata of set ${other}, too; --force erases both`);
  return { path, sizeBytes, model: identity.model, serial: identity.serial };
}

type Moved = Pick<WipePlan, 'movedUnits' | 'missingSpares'>;

/** A map that can't be read is a finding here, and no failure: it may be the reason to erase it. */
async function movedUnitsOf(paths: readonly string[]): Promise<Moved> {
  try {
    const { remaps, spares, outOfReachPages } = await inspectSpares(paths);
    const missingSpares = spares.filter(({ path }) => path === null).length;
    return { movedUnits: outOfReachPages > 0 ? null : remaps.length, missingSpares };
  } catch (error) {
    const isMap = error instanceof DmRemapError && ['metadata', 'refused'].includes(error.failure);
    if (!isMap) throw error;
    return { movedUnits: null, missingSpares: 0 };
  }
}

function refuseLoss({ movedUnits, missingSpares }: Moved, { setId, spares }: WipeOptions): void {
  const list = spares.join(', ');
  if (movedUnits === null)
    throw new DmRemapError(
      'refused',
      `${list}: which units live there can't be read, and they would be lost; "dmremap metadata check" says why, --force erases all the same`,
    );
  if (missingSpares > 0) throw notWhole(list, setId, movedUnits, missingSpares);
  if (movedUnits > 0) {
    const back = commandLine([
      'dmremap',
      'leave',
      '--main',
      'MAIN',
      ...spares.flatMap((path) => ['--spare', path]),
    ]);
    const copied = commandLine(['dmremap', 'export', ...spares, '--dm-table']);
    throw new DmRemapError(
      'refused',
      `${list}: ${liveText(movedUnits)} there and would be lost. First bring them back (${back}), or copy the disk as the map says (${copied}); --force erases all the same`,
    );
  }
}

/** What brings units back needs all spares; who has lost one for good, or erased it before, can't attach it. */
function notWhole(list: string, setId: string, movedUnits: number, missingSpares: number): DmRemapError {
  const missing = missingSpares === 1 ? '1 more spare' : `${missingSpares} more spares`;
  const lost = movedUnits === 0 ? '' : ` and ${liveText(movedUnits)} on the spares, which would be lost`;
  return new DmRemapError(
    'refused',
    `${list}: ${missing} of set ${setId} not found${lost}. Attach all, or name image files with --device; if they are gone for good, or erased already, --force erases what is here`,
  );
}

function liveText(movedUnits: number): string {
  return movedUnits === 1 ? '1 unit lives' : `${movedUnits} units live`;
}
