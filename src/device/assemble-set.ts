import { failed, ok, type Result } from '../base/result.js';
import type { Procedure, Target } from '../engine/effect.js';
import type { FingerprintMismatch } from '../format/fingerprint.js';
import { compareFingerprint, recordedFingerprint } from '../format/fingerprint.js';
import type { Superblock } from '../format/superblock.js';
import type { SuperblockChoice, SuperblockChoiceFailure } from '../format/superblock-choice.js';
import type { Geometry } from '../ports/block-store.js';
import type { IoMemory } from '../ports/io-memory.js';
import { findSuperblock } from './find-superblock.js';
import type { LoadReport } from './load-descriptors.js';
import { type EmptySet, readMap } from './read-map.js';
import { sampleContent } from './sample-content.js';
import { withoutCopyPosition } from './write-superblock.js';

/**
 * Puts a set together from what is on its devices: chooses the superblock, checks that the main device is the right
 * one (P6), reads the map. Writes nothing. `force` lifts refusals about identity, never about damage.
 */
export function* assembleSet(input: AssembleInput): Procedure<Result<AssembledSet, AssemblyFailure>> {
  const found = yield* findSuperblock(input);
  const chosen = acceptChoice(found, input);
  if (!chosen.ok) return chosen;
  const { superblock } = chosen.value;
  if (input.main !== undefined) {
    const mismatches = yield* compareMain(input, input.main, superblock);
    if (mismatches.length > 0 && !input.force) return failed({ kind: 'wrongMain', mismatches });
    if (input.main.sizeBytes < superblock.mainSizeBytes) return failed({ kind: 'wrongMain', mismatches });
    if (chosen.value.readOnly) return failed({ kind: 'readOnlyFeature' });
    const tooLarge = largestBlockBytes(input);
    const recordedBytes = superblock.logicalBlockBytes;
    if (tooLarge > recordedBytes) {
      return failed({ kind: 'blockTooLarge', logicalBlockBytes: tooLarge, recordedBytes });
    }
  }
  const { intake, load, ...set } = yield* readMap(input, chosen.value);
  if (superblock.cleanShutdown && load.maybeOutdatedPages.length > 0 && !input.force) {
    return failed({ kind: 'maybeOutdated', pages: load.maybeOutdatedPages });
  }
  if (load.lostPages.length > 0) return failed({ kind: 'pagesLost', pages: load.lostPages });
  if (intake.impossible.length > 0) return failed({ kind: 'badDescriptors', spareUnits: intake.impossible });
  const { metadata } = set;
  // Whatever was lifted, the set may hold something else than what was copied of it.
  const dropsCopyPosition = input.force && metadata.superblock.copyPosition !== undefined;
  if (dropsCopyPosition) metadata.superblock = withoutCopyPosition(metadata.superblock);
  return ok({ ...set, load, supersededPages: intake.supersededPages, dropsCopyPosition });
}

export interface AssembleInput {
  /** The main device, target 0; left out, it is not looked at. */
  readonly main: Geometry | undefined;
  /** The devices named as spares, in any order. */
  readonly devices: readonly {
    readonly target: Target;
    readonly sizeBytes: number;
    readonly logicalBlockBytes: number;
  }[];
  readonly force: boolean;
  readonly memory: IoMemory;
  /** Room for `RECOVERY_READ_BYTES` of each copy. */
  readonly bufferOffset: number;
}

/** A set as it is on disk, ready to be used. */
export interface AssembledSet extends EmptySet {
  readonly load: LoadReport;
  /** Pages with a descriptor that a newer one overrides; to be written anew. */
  readonly supersededPages: readonly number[];
  /** What the disks say of a copying counts no more, in no version of the superblock. */
  readonly dropsCopyPosition: boolean;
}

export type AssemblyFailure =
  | SuperblockChoiceFailure
  | { readonly kind: 'wrongMain'; readonly mismatches: readonly FingerprintMismatch[] }
  /** Pages with no valid version on any copy: which main units they spoke of is not known any more. */
  | { readonly kind: 'pagesLost'; readonly pages: readonly number[] }
  /** After a clean stop, pages of which only an older version may be left: the map may be wrong there. */
  | { readonly kind: 'maybeOutdated'; readonly pages: readonly number[] }
  /** The set has a feature that this version may only read beside. */
  | { readonly kind: 'readOnlyFeature' }
  /** Blocks of the device are larger than the smallest I/O of the set. */
  | { readonly kind: 'blockTooLarge'; readonly logicalBlockBytes: number; readonly recordedBytes: number }
  /** Whole pages whose descriptors contradict the layout: a bug or malice, never a crash. */
  | { readonly kind: 'badDescriptors'; readonly spareUnits: readonly number[] };

/** Identity is what `force` lifts. To look at a set, its other spares do: each copy of the map speaks of all of them. */
function acceptChoice(
  found: Result<SuperblockChoice, SuperblockChoiceFailure>,
  { force, main }: AssembleInput,
): Result<SuperblockChoice, SuperblockChoiceFailure> {
  if (found.ok || !('choice' in found.error) || !force) return found;
  const { choice } = found.error;
  if (main === undefined || choice.missingSpares.length === 0) return ok(choice);
  return failed({ kind: 'spareMissing', choice });
}

function largestBlockBytes({ main, devices }: AssembleInput): number {
  return Math.max(main?.logicalBlockBytes ?? 0, ...devices.map((device) => device.logicalBlockBytes));
}

function* compareMain(
  input: AssembleInput,
  main: Geometry,
  superblock: Superblock,
): Procedure<readonly FingerprintMismatch[]> {
  const recorded = recordedFingerprint(superblock);
  // Blocks that could not be sampled last time need not be read: on a dying disk each may take seconds.
  const sampled = recorded.contentSample.validMask;
  const unsampled = (index: number): boolean => ((sampled >>> index) & 1) === 0;
  const worthwhile = superblock.cleanShutdown && main.sizeBytes === recorded.sizeBytes;
  const contentSample = worthwhile
    ? yield* sampleContent(superblock.mainSizeBytes, input.memory, input.bufferOffset, unsampled)
    : { validMask: 0, crcs: recorded.contentSample.crcs };
  const { sizeBytes, logicalBlockBytes, identity } = main;
  return compareFingerprint(
    recorded,
    { sizeBytes, logicalBlockBytes, ...identity, contentSample },
    worthwhile,
  );
}
