import type { SetSurvey } from '../device/survey-set.js';
import type { Procedure } from '../engine/effect.js';
import { perform } from '../engine/effect.js';
import { noteOffsetBytes, TEXT_NOTE_BYTES } from '../format/layout.js';
import { formatUuid, sameUuid } from '../format/set-id.js';
import type { Superblock } from '../format/superblock.js';
import { identifyingSuperblocks, newestOf } from '../format/superblock-evidence.js';
import { judgeNote } from '../format/text-note.js';
import { DmRemapError } from './errors.js';
import { findSignature } from './examine-spares.js';
import type { MetadataSession } from './metadata-session.js';
import type { RestoreTarget } from './metadata-types.js';

/**
 * Which of the devices is which spare of a dump (P6). A device proves it by a superblock, or by the text note of this
 * spare; without a proof it is one by its position and its size, and only with `force`.
 */
export async function assignSpares(
  session: MetadataSession,
  survey: SetSurvey,
  superblock: Superblock,
  force: boolean,
): Promise<readonly RestoreTarget[]> {
  const { paths } = session;
  const wanted = superblock.spares.length;
  if (paths.length !== wanted)
    throw new DmRemapError(
      'usage',
      `the dump is of a set with ${wanted} spare(s), ${paths.length} were given`,
    );
  const known = new Map<number, RestoreTarget>();
  const silent: number[] = [];
  for (const [position, path] of paths.entries()) {
    const proof = await proofOf(session, survey, superblock, position, force);
    if (proof === undefined) {
      silent.push(position);
      continue;
    }
    const { index } = proof;
    const twin = known.get(index);
    if (twin !== undefined) throw new DmRemapError('refused', isCopyOf(path, twin.path, index));
    refuseSmaller(path, session.geometries[position]!.sizeBytes, superblock, index);
    known.set(index, { ...proof, path });
  }
  return superblock.spares.map(
    (_, index) => known.get(index) ?? byPosition(session, superblock, index, silent.shift()!, force),
  );
}

function isCopyOf(path: string, twin: string, index: number): string {
  return `${path}: says that it is spare ${index} of the dump, as ${twin} does, so one is a copy; give only the right one`;
}

/** The metadata would reach beyond its end, and so would units: no text can be right for it. */
function refuseSmaller(path: string, sizeBytes: number, { spares }: Superblock, index: number): void {
  const recorded = spares[index]!.sizeBytes;
  if (sizeBytes >= recorded) return;
  const sizes = `has ${sizeBytes} bytes, spare ${index} of the dump ${recorded}`;
  throw new DmRemapError('refused', `${path}: ${sizes}; give it its size back, or the right device`);
}

async function proofOf(
  session: MetadataSession,
  survey: SetSurvey,
  superblock: Superblock,
  position: number,
  force: boolean,
): Promise<Omit<RestoreTarget, 'path'> | undefined> {
  const newest = newestOf(identifyingSuperblocks(survey.scanned)[position]!);
  const path = session.paths[position]!;
  if (newest !== undefined) {
    const own = newest.superblock;
    const uuid = own.spares[newest.spareIndex]!.uuid;
    const index = superblock.spares.findIndex((spare) => sameUuid(spare.uuid, uuid));
    if (index !== -1 && sameUuid(own.setId, superblock.setId)) return { index, knownBy: 'superblock' };
    if (force) return undefined;
    throw new DmRemapError(
      'refused',
      `${path}: is a spare of set ${formatUuid(own.setId)}, which the dump does not speak of; --force overwrites it`,
    );
  }
  for (const index of superblock.spares.keys())
    if (await session.run(hasNote(session, superblock, position, index))) return { index, knownBy: 'note' };
  const signature = await findSignature(session, position, session.geometries[position]!);
  if (signature === null || force) return undefined;
  throw new DmRemapError('refused', `${path}: holds ${signature}; --force overwrites it`);
}

/** Any copy of the note on it will do. */
function* hasNote(
  { memory, bufferOffset, geometries }: MetadataSession,
  superblock: Superblock,
  position: number,
  spareIndex: number,
): Procedure<boolean> {
  for (const [copyIndex, copy] of superblock.copies.entries()) {
    const offsetBytes = noteOffsetBytes(copy);
    const isThere = offsetBytes + TEXT_NOTE_BYTES <= geometries[position]!.sizeBytes;
    if (copy.spareIndex !== spareIndex || !isThere) continue;
    const lengthBytes = TEXT_NOTE_BYTES;
    const read = { kind: 'read', target: position, offsetBytes, lengthBytes } as const;
    if ((yield* perform({ ...read, memoryOffset: bufferOffset })) < 0) continue;
    const found = memory.bytes.subarray(bufferOffset, bufferOffset + lengthBytes);
    if (judgeNote(found, superblock, copyIndex) === 'current') return true;
  }
  return false;
}

function byPosition(
  { paths, geometries }: MetadataSession,
  superblock: Superblock,
  index: number,
  position: number,
  force: boolean,
): RestoreTarget {
  const path = paths[position]!;
  const { sizeBytes } = geometries[position]!;
  const recorded = superblock.spares[index]!.sizeBytes;
  if (sizeBytes !== recorded)
    throw new DmRemapError(
      'refused',
      `${path}: has ${sizeBytes} bytes, spare ${index} of the dump ${recorded}`,
    );
  if (force) return { index, path, knownBy: 'position' };
  throw new DmRemapError(
    'refused',
    `${path}: nothing on it says that it is spare ${index} of the dump; if it is not, what had moved to that would be read wrongly; --force takes it as that`,
  );
}
