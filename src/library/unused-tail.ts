import { formatCount } from '../base/format-count.js';
import { statIfThere } from '../kernel/stat-if-there.js';

/** At the end of an image, less than a logical block: no request reaches these bytes. Of a block device none. */
export function unusedTailBytes(path: string, logicalBlockBytes: number): number {
  const stats = statIfThere(path);
  return stats?.isFile() ? stats.size % logicalBlockBytes : 0;
}

/** One line for a person; undefined where everything is used. */
export function unusedTailText(
  path: string,
  tailBytes: number,
  logicalBlockBytes: number,
): string | undefined {
  if (tailBytes === 0) return undefined;
  const verb = tailBytes === 1 ? 'is' : 'are';
  return `${path}: ${formatCount(tailBytes, 'byte')} at its end ${verb} not served: the device has whole blocks of ${logicalBlockBytes} bytes`;
}
