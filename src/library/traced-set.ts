import { findSuperblock } from '../device/find-superblock.js';
import type { OfflineSession } from '../runtime/offline-session.js';
import { setIn } from './examine-spares.js';
import { findNote } from './noted-set.js';

/**
 * The set that a device is, or was, a spare of, by any superblock or text note on it; `unknown` where these don't agree; null
 * where there is none. Places that can't be read say nothing: the device may be failing.
 */
export async function findTracedSet(
  session: Pick<OfflineSession, 'memory' | 'bufferOffset' | 'run'>,
  target: number,
  sizeBytes: number,
): Promise<string | null> {
  const { memory, bufferOffset } = session;
  const found = await session.run(findSuperblock({ devices: [{ target, sizeBytes }], memory, bufferOffset }));
  const set = setIn(found);
  if (set !== undefined) return set;
  if (!found.ok && found.error.kind !== 'noneFound') return 'unknown';
  const noted = await session.run(findNote({ target, sizeBytes, memory, bufferOffset }));
  return noted?.setId ?? null;
}
