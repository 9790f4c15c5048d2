import { findSuperblock } from '../device/find-superblock.js';
import { type ReadBytes, recognise } from '../format/foreign-signature.js';
import type { ModuleFinding } from '../format/import/find-module-record.js';
import { V4_RECORD_BYTES } from '../format/import/record-copy.js';
import type { OfflineSession } from '../runtime/offline-session.js';
import { setIn } from './examine-spares.js';
import { findNote } from './noted-set.js';

/**
 * What else a spare of the kernel module was made into, in words; null where nothing shows that. Its record has no checksum of
 * the data, and copies of it outlive most uses. Places that can't be read say nothing: the device may be failing.
 */
export async function findOtherUse(
  session: Session,
  device: { readonly target: number; readonly sizeBytes: number },
  finding: ModuleFinding,
  read: ReadBytes,
): Promise<string | null> {
  const set = await findSet(session, device);
  return set === null ? overFirstCopy(finding, read, device.sizeBytes) : `metadata of dm-remap (set ${set})`;
}

type Session = Pick<OfflineSession, 'memory' | 'bufferOffset' | 'run'>;

/** By any superblock or text note; `unknown` where these don't agree. */
async function findSet(
  session: Session,
  device: { readonly target: number; readonly sizeBytes: number },
): Promise<string | null> {
  const { memory, bufferOffset } = session;
  const found = await session.run(findSuperblock({ devices: [device], memory, bufferOffset }));
  const set = setIn(found);
  if (set !== undefined) return set;
  if (!found.ok && found.error.kind !== 'noneFound') return 'unknown';
  const noted = await session.run(findNote({ ...device, memory, bufferOffset }));
  return noted?.setId ?? null;
}

/**
 * The module has written all of its first copy, so what is recognised there has come later. The end of the device, where other
 * signatures are, it may never have written to: what is there can be from before.
 */
function overFirstCopy(finding: ModuleFinding, read: ReadBytes, sizeBytes: number): string | null {
  if (finding.kind === 'v4' && finding.copies[0]!.state === 'good') return null;
  const readFirst: ReadBytes = (offset, length) =>
    offset + length <= V4_RECORD_BYTES ? read(offset, length) : undefined;
  const names = recognise(readFirst, sizeBytes)?.split(' and ') ?? [];
  const others = names.filter((name) => !name.startsWith(OF_MODULE));
  return others.length === 0 ? null : others.join(' and ');
}

/** As `recognise` calls its spares. */
const OF_MODULE = 'a spare of the dm-remap kernel module';
