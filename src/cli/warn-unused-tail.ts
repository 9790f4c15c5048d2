import type { FormatPlan } from '../library/offline-types.js';
import { unusedTailText } from '../library/unused-tail.js';
import type { Output } from './output.js';

/** Whoever made the image may have meant another size. */
export function warnUnusedTail({ main, mainUnusedBytes, logicalBlockBytes }: FormatPlan, err: Output): void {
  const text = unusedTailText(main.path, mainUnusedBytes, logicalBlockBytes);
  if (text !== undefined) err.write(`dmremap: warning: ${text}\n`);
}
