import type { ComeBack } from './history.js';
import type { FaultParts } from './inject-fault.js';
import type { SimDisk } from './sim-disk.js';

/** Not written yet. */
export function impostorFor(_parts: FaultParts, _how: ComeBack): SimDisk | undefined {
  return undefined;
}
