import { scanDevice } from '../device/find-superblock.js';
import { formatUuid } from '../format/set-id.js';
import type { Superblock } from '../format/superblock.js';
import { newestOf, type ScannedDevice, superblocksInPlace } from '../format/superblock-evidence.js';
import type { DeviceIdentity } from '../ports/block-store.js';
import { OfflineSession } from '../runtime/offline-session.js';
import { DmRemapError } from './errors.js';
import { type FoundNote, findNote } from './noted-set.js';

/** A device as it lies there, read without a lock: somebody may be using it. */
export interface SeenDevice {
  readonly path: string;
  readonly sizeBytes: number;
  readonly logicalBlockBytes: number;
  readonly identity: DeviceIdentity;
  readonly scanned: ScannedDevice;
  /** Each set that it carries a superblock of, with the newest one. More than one: parts of it were formatted apart. */
  readonly superblocks: ReadonlyMap<string, Superblock>;
  /** Why its metadata can't be attributed to a set; undefined where it has none, or can. */
  readonly doubt: string | undefined;
  /** Of a device without superblocks: what it says to be. */
  readonly noted: FoundNote | undefined;
}

/** Reads every place where a superblock may be. Throws `DmRemapError` where the device can't be opened. */
export async function lookAtDevice(path: string): Promise<SeenDevice> {
  const opened = OfflineSession.open([{ path, readOnly: true }]);
  if (!opened.ok) throw DmRemapError.of(opened.error);
  const session = opened.value;
  try {
    const { sizeBytes, logicalBlockBytes, identity } = session.geometries[0]!;
    const { memory, bufferOffset } = session;
    const place = { target: 0, sizeBytes, memory, bufferOffset };
    const scanned = await session.run(scanDevice({ devices: [], memory, bufferOffset }, place));
    const superblocks = superblocksOf(scanned);
    const noted = superblocks.size === 0 ? await session.run(findNote(place)) : undefined;
    const doubt = superblocks.size === 0 ? doubtAbout(scanned, noted) : undefined;
    return { path, sizeBytes, logicalBlockBytes, identity, scanned, superblocks, doubt, noted };
  } finally {
    session.close();
  }
}

function superblocksOf(scanned: ScannedDevice): ReadonlyMap<string, Superblock> {
  const found = superblocksInPlace(scanned);
  const setIds = new Set(found.map(({ superblock }) => formatUuid(superblock.setId)));
  return new Map(
    [...setIds].map((setId) => {
      const own = found.filter(({ superblock }) => formatUuid(superblock.setId) === setId);
      return [setId, newestOf(own)!.superblock];
    }),
  );
}

function doubtAbout({ candidates }: ScannedDevice, noted: FoundNote | undefined): string | undefined {
  const seen = new Set(candidates.map(({ found }) => (found.ok ? 'misplaced' : found.error)));
  if (seen.has('unsupportedVersion') || seen.has('incompatibleFeature'))
    return 'written by a newer dm-remap; use that version';
  if (noted !== undefined)
    return `a text note of set ${noted.setId} is there, but no superblock; see "dmremap metadata restore --help"`;
  if (seen.has('badChecksum') || seen.has('implausible'))
    return 'damaged metadata and no usable superblock; see "dmremap metadata check"';
  return undefined;
}
