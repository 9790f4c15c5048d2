import type { Result } from '../base/result.js';
import { alignDown, alignUp } from '../base/units.js';
import { findSuperblock } from '../device/find-superblock.js';
import type { Procedure } from '../engine/effect.js';
import { perform } from '../engine/effect.js';
import { recognise, signatureProbes } from '../format/foreign-signature.js';
import { formatUuid } from '../format/set-id.js';
import type { SuperblockChoice, SuperblockChoiceFailure } from '../format/superblock-choice.js';
import { statIfThere } from '../kernel/stat-if-there.js';
import type { Geometry } from '../ports/block-store.js';
import { OfflineSession } from '../runtime/offline-session.js';
import { DmRemapError } from './errors.js';
import { findNote } from './noted-set.js';

/** Looks at the devices of a set to be: sizes, block sizes, and what is on them now. Writes nothing. */
export async function examineSpares(
  main: string,
  spares: readonly string[],
): Promise<{ readonly main: ExaminedSpare; readonly spares: readonly ExaminedSpare[] }> {
  refuseRepeatedPaths([main, ...spares]);
  const opened = OfflineSession.open([main, ...spares].map((path) => ({ path, readOnly: true })));
  if (!opened.ok) throw DmRemapError.of(opened.error);
  const session = opened.value;
  try {
    const mainGeometry = session.geometries[0]!;
    const examined: ExaminedSpare[] = [];
    for (const [index, path] of spares.entries()) {
      const geometry = session.geometries[1 + index]!;
      refuseBlockSize(path, geometry, mainGeometry);
      examined.push(await examineSpare(session, path, 1 + index, geometry));
    }
    return {
      main: {
        path: main,
        geometry: mainGeometry,
        signature: null,
        set: await setOfMain(session, mainGeometry),
        isBlank: false,
      },
      spares: examined,
    };
  } finally {
    session.close();
  }
}

/** Looks at one device: what it is, and what is on it now. Writes nothing. */
export async function examineDevice(path: string): Promise<ExaminedSpare> {
  const opened = OfflineSession.open([{ path, readOnly: true }]);
  if (!opened.ok) throw DmRemapError.of(opened.error);
  const session = opened.value;
  try {
    return await examineSpare(session, path, 0, session.geometries[0]!);
  } finally {
    session.close();
  }
}

/**
 * Looks again at devices that `examineSpares` saw, from `firstTarget` on in their order, now that nobody else can write to them.
 * Answers the first that holds something else by now.
 */
export async function findChanged(
  session: Reader,
  firstTarget: number,
  spares: readonly ExaminedSpare[],
): Promise<string | undefined> {
  for (const [index, { path, geometry, signature }] of spares.entries()) {
    const now = await examineSpare(session, path, firstTarget + index, geometry);
    if (now.signature !== signature) return path;
  }
  return undefined;
}

export interface ExaminedSpare {
  readonly path: string;
  readonly geometry: Geometry;
  /** What is on it, in words; null if nothing known. */
  readonly signature: string | null;
  /** The set it belongs to already. */
  readonly set: string | undefined;
  /** Every place where a superblock could be is zero. */
  readonly isBlank: boolean;
}

async function examineSpare(
  session: Reader,
  path: string,
  target: number,
  geometry: Geometry,
): Promise<ExaminedSpare> {
  const { memory, bufferOffset } = session;
  const devices = [{ target, sizeBytes: geometry.sizeBytes }];
  const found = await session.run(findSuperblock({ devices, memory, bufferOffset }));
  const set = setIn(found);
  if (set !== undefined)
    return { path, geometry, set, isBlank: false, signature: `dm-remap metadata (set ${set})` };
  const seen = seenInstead(found);
  // Of a newer version, of two sets, or damaged: still somebody's metadata.
  if (seen === undefined || !seen.every((what) => what === 'blank' || what === 'notOurs')) {
    const signature = `dm-remap metadata of a set that can't be told (see "dmremap metadata check")`;
    return { path, geometry, set: 'unknown', isBlank: false, signature };
  }
  const noted = await session.run(findNote({ target, sizeBytes: geometry.sizeBytes, memory, bufferOffset }));
  if (noted !== undefined) {
    const signature = `the text note of a spare of dm-remap (set ${noted.setId}), whose superblocks are gone`;
    return { path, geometry, set: noted.setId, isBlank: false, signature };
  }
  const isBlank = seen.every((what) => what === 'blank');
  return { path, geometry, set, isBlank, signature: await findSignature(session, target, geometry) };
}

/** The set that a device named as main is a spare of, which is a mistake. Unreadable places say nothing: it is failing. */
async function setOfMain(session: OfflineSession, geometry: Geometry): Promise<string | undefined> {
  const { memory, bufferOffset } = session;
  const devices = [{ target: 0, sizeBytes: geometry.sizeBytes }];
  return setIn(await session.run(findSuperblock({ devices, memory, bufferOffset })));
}

type FoundSuperblock = Result<SuperblockChoice, SuperblockChoiceFailure>;

/** Also where this device alone is not the whole set, or is behind the others. */
export function setIn(found: FoundSuperblock): string | undefined {
  const choice = found.ok ? found.value : 'choice' in found.error ? found.error.choice : undefined;
  return choice && formatUuid(choice.superblock.setId);
}

/** What was at the places of superblocks; undefined: superblocks. */
function seenInstead(found: FoundSuperblock): readonly string[] | undefined {
  return !found.ok && found.error.kind === 'noneFound' ? found.error.seen : undefined;
}

/** What is on a device, in words; null if it is nothing that is known. */
export async function findSignature(
  session: Reader,
  target: number,
  geometry: Geometry,
): Promise<string | null> {
  const spans: { readonly offsetBytes: number; readonly bytes: Uint8Array }[] = [];
  for (const { offsetBytes, lengthBytes } of signatureProbes(geometry.sizeBytes)) {
    const from = alignDown(offsetBytes, geometry.logicalBlockBytes);
    const end = Math.min(alignUp(offsetBytes + lengthBytes, geometry.logicalBlockBytes), geometry.sizeBytes);
    spans.push({ offsetBytes: from, bytes: await session.run(readSpan(session, target, from, end)) });
  }
  const read = (offset: number, length: number): Uint8Array | undefined => {
    const span = spans.find(
      (each) => each.offsetBytes <= offset && offset + length <= each.offsetBytes + each.bytes.length,
    );
    return span?.bytes.subarray(offset - span.offsetBytes, offset - span.offsetBytes + length);
  };
  return recognise(read, geometry.sizeBytes);
}

/** In small pieces, so that an unreadable one hides only itself; it counts as zeroes. */
export function* readSpan(
  session: Reader,
  target: number,
  fromBytes: number,
  endBytes: number,
): Procedure<Uint8Array> {
  const { memory, bufferOffset } = session;
  const span = new Uint8Array(endBytes - fromBytes);
  for (let at = fromBytes; at < endBytes; at += PROBE_BYTES) {
    const lengthBytes = Math.min(PROBE_BYTES, endBytes - at);
    const result = yield* perform({
      kind: 'read',
      target,
      offsetBytes: at,
      lengthBytes,
      memoryOffset: bufferOffset,
    });
    if (result >= 0)
      span.set(memory.bytes.subarray(bufferOffset, bufferOffset + lengthBytes), at - fromBytes);
  }
  return span;
}

type Reader = Pick<OfflineSession, 'memory' | 'bufferOffset' | 'run'>;

const PROBE_BYTES = 4096;

/** Rejects two paths of one device or file. */
export function refuseRepeatedPaths(paths: readonly string[]): void {
  const seen = new Set<string>();
  for (const path of paths) {
    const identity = identityOf(path);
    if (seen.has(identity)) {
      throw new DmRemapError('usage', `${path}: given twice; main device and spares must all differ`);
    }
    seen.add(identity);
  }
}

/** Rejects a device that the set has already, by whatever path. `spares`: of that set, by number. */
export function refuseMember(device: string, main: string, spares: readonly string[]): void {
  const identity = identityOf(device);
  const roles = ['the main device', ...spares.map((_, index) => `spare ${index}`)];
  const role = roles[[main, ...spares].findIndex((path) => identityOf(path) === identity)];
  if (role === undefined) return;
  throw new DmRemapError('usage', `${device}: is ${role} of the set already; name another device`);
}

/** Paths of one device or file share it, links and second device nodes too. What is not there is left to the opening. */
function identityOf(path: string): string {
  const stat = statIfThere(path);
  if (stat === undefined) return path;
  return stat.isBlockDevice() ? `device ${stat.rdev}` : `${stat.dev}:${stat.ino}`;
}

function refuseBlockSize(path: string, spare: Geometry, main: Geometry): void {
  if (spare.logicalBlockBytes <= main.logicalBlockBytes) return;
  const sizes = `${spare.logicalBlockBytes} bytes, the main device ${main.logicalBlockBytes}`;
  throw new DmRemapError('usage', `${path}: its logical block is ${sizes}; a spare's must not be larger`);
}
