import { misfitOfReplacement } from '../runtime/evacuation-calls.js';
import { DmRemapError } from './errors.js';
import { examineDevice, refuseMember } from './examine-spares.js';
import type { FormatTarget } from './offline-types.js';

/** What `planEvacuation` takes: a set at work, and the disk that is to become its main device. */
export interface EvacuationOptions {
  readonly main: string;
  readonly spares: readonly string[];
  /** What the set serves. */
  readonly sizeBytes: number;
  readonly logicalBlockBytes: number;
  readonly device: string;
  /** The block device that is in use was made for disks without a volatile cache: its users never flush. */
  readonly isNeverFlushed: boolean;
  /** Overwrite a disk that holds something. */
  readonly force: boolean;
}

/** What copying a set to another disk would do, for consent. */
export interface EvacuationPlan {
  readonly device: FormatTarget;
  /** That will be copied. */
  readonly sizeBytes: number;
}

/** Looks at the disk; writes nothing. Rejects where it can't become the main device, or holds something. */
export async function planEvacuation(options: EvacuationOptions): Promise<EvacuationPlan> {
  const { main, spares, device, force, sizeBytes, isNeverFlushed } = options;
  refuseMember(device, main, spares);
  const { path, geometry, signature } = await examineDevice(device);
  const problem = misfitOfReplacement(path, geometry, options);
  if (problem !== undefined) throw DmRemapError.of(problem);
  if (isNeverFlushed && geometry.queue.volatileCache)
    throw new DmRemapError(
      'refused',
      `${path}: has a write cache, and who uses the block device does not flush it, as the old disk has none; switch the cache off (hdparm -W 0), or serve the set over NBD`,
    );
  if (signature !== null && !force)
    throw new DmRemapError(
      'refused',
      `${path}: holds ${signature}; choose another disk, or use --force to overwrite it`,
    );
  const { model, serial } = geometry.identity;
  return { device: { path, sizeBytes: geometry.sizeBytes, model, serial, signature }, sizeBytes };
}
