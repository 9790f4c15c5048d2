import { bootId } from '../kernel/boot-id.js';
import { diskSequence } from '../kernel/disk-sequence.js';
import { statIfThere } from '../kernel/stat-if-there.js';
import { OfflineSession } from '../runtime/offline-session.js';

/**
 * A text by which a disk or file is known again as the very same one; as long as the machine is not started anew, if it
 * has neither serial number nor WWN. Undefined where nothing tells it from another, or where it can't be read.
 */
export function identifyDisk(path: string): string | undefined {
  const stat = statIfThere(path);
  if (stat === undefined) return undefined;
  if (!stat.isBlockDevice()) return `file ${stat.dev}:${stat.ino}`;
  const opened = OfflineSession.open([{ path, readOnly: true }]);
  if (!opened.ok) return undefined;
  const { sizeBytes, identity } = opened.value.geometries[0]!;
  opened.value.close();
  const { serial, wwn } = identity;
  // One that has gone and come back under another name may be the same disk.
  if (serial !== '' || wwn !== '') return `disk ${JSON.stringify({ serial, wwn, sizeBytes })}`;
  const sequence = diskSequence(stat.rdev);
  return sequence === null ? undefined : `device ${stat.rdev}, sequence ${sequence}, boot ${bootId()}`;
}
