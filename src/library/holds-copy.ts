import { alignUp } from '../base/units.js';
import { CONTENT_IDENTITY_BYTES, contentIdentity } from '../format/content-identity.js';
import { OfflineSession } from '../runtime/offline-session.js';
import { readSpan } from './examine-spares.js';

/**
 * Does this disk hold a copy of what the main device holds, as far as the UUIDs of that say? False where nothing there has
 * one, and where one of the two can't be read.
 */
export async function holdsCopy(main: string, device: string): Promise<boolean> {
  const opened = OfflineSession.open([main, device].map((path) => ({ path, readOnly: true })));
  if (!opened.ok) return false;
  const session = opened.value;
  try {
    const [ours, copied] = [await identityOf(session, 0), await identityOf(session, 1)];
    return ours !== null && ours === copied;
  } finally {
    session.close();
  }
}

async function identityOf(session: OfflineSession, target: number): Promise<string | null> {
  const { sizeBytes, logicalBlockBytes } = session.geometries[target]!;
  const end = Math.min(alignUp(CONTENT_IDENTITY_BYTES, logicalBlockBytes), sizeBytes);
  const head = await session.run(readSpan(session, target, 0, end));
  return contentIdentity((at, length) => (at + length <= end ? head.subarray(at, at + length) : undefined));
}
