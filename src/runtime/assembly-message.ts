import { unreachable } from '../base/assert.js';
import type { AssemblyFailure } from '../device/assemble-set.js';
import type { FingerprintMismatch } from '../format/fingerprint.js';
import { formatUuid } from '../format/set-id.js';
import type { SuperblockChoiceFailure, WrongSpareReason } from '../format/superblock-choice.js';
import type { Failure } from './failure.js';
import { failure } from './failure.js';

/** One line about why a set can't be put together: what, where, what to do. */
export function describeAssemblyFailure(
  problem: AssemblyFailure,
  main: string,
  spares: readonly string[],
): Failure {
  const list = spares.join(', ');
  switch (problem.kind) {
    case 'wrongMain':
      return failure(
        'refused',
        `${main}: not the recorded main device (${problem.mismatches.map(describeMismatch).join('; ')}); check the path, or ${adviceFor(problem.mismatches)}`,
      );
    case 'maybeOutdated':
      return failure(
        'metadata',
        `${list}: the newest version of ${problem.pages.length} page(s) of the map may be lost (first: ${problem.pages[0]}); old data could be served: use --force only if you accept that`,
      );
    case 'readOnlyFeature':
      return failure(
        'metadata',
        `${list}: carries a feature of a newer dm-remap that this version must not write beside; use that version`,
      );
    case 'blockTooLarge':
      return failure(
        'refused',
        `logical blocks of ${problem.logicalBlockBytes} bytes, but the set was made for ${problem.recordedBytes}; attach the device as it was then`,
      );
    case 'pagesLost':
      return failure(
        'metadata',
        `${list}: ${problem.pages.length} page(s) of the map have no copy that can be believed (first: ${problem.pages[0]}); nothing is served, because wrong data could be`,
      );
    case 'badDescriptors':
      return failure(
        'metadata',
        `${list}: ${problem.spareUnits.length} entries of the map are impossible (first: spare unit ${problem.spareUnits[0]}); nothing is served, because wrong data could be`,
      );
    default:
      return describeChoiceFailure(problem, spares);
  }
}

/** One that is too small can't be had by force. */
function adviceFor(mismatches: readonly FingerprintMismatch[]): string {
  const isSmaller = mismatches.some((one) => one.kind === 'sizeBytes' && one.actual < one.recorded);
  return isSmaller ? 'give it its size back' : 'use "dmremap run --force" if you are sure';
}

function describeChoiceFailure(problem: SuperblockChoiceFailure, spares: readonly string[]): Failure {
  const list = spares.join(', ');
  switch (problem.kind) {
    case 'noneFound':
      return failure(
        'metadata',
        isUntouched(problem.seen)
          ? `${list}: no dm-remap metadata; check the path, and that main device and spare are not swapped; a new spare has to be formatted first (dmremap format). If it was taken out of the set, "dmremap scan" finds the others`
          : `${list}: no usable dm-remap metadata (found: ${problem.seen.join(', ')}); check the path; formatting it anew would give up what was moved to it`,
      );
    case 'newerFormat':
      return failure(
        'metadata',
        `${spares[problem.deviceIndex]}: written by a newer dm-remap; use that version`,
      );
    case 'mixedSets':
      return failure(
        'refused',
        `${list}: belong to different sets (${problem.setIds.map(formatUuid).join(', ')}); give the spares of one set`,
      );
    case 'wrongSpare':
      return failure('refused', `${spares[problem.deviceIndex]}: ${WRONG_SPARE[problem.reason]}`);
    case 'diverged':
      return failure(
        'refused',
        `${problem.deviceIndexes.map((index) => spares[index]).join(' and ')}: were used apart from each other; give only the one that is right`,
      );
    case 'contested':
      return failure(
        'metadata',
        `${list}: copies of superblock ${problem.sequence} are intact and contradict each other, and none has a majority; nothing is served, because wrong data could be`,
      );
    case 'spareUnproven':
      return failure(
        'refused',
        `${spares[problem.deviceIndex]}: carries no superblock any more; only its size says that it is a spare of this set; use --force if you are sure`,
      );
    case 'spareStale':
      return failure(
        'refused',
        `${list}: spare ${problem.choice.staleSpares.join(', ')} of the set is older than its partners, so it failed or was left out; check that device, or use --force ("dmremap run", "dmremap metadata repair") if you are sure of it`,
      );
    case 'spareMissing':
      return failure(
        'refused',
        `${list}: spare ${problem.choice.missingSpares.join(', ')} of the set is missing; give all spares`,
      );
    default:
      return unreachable(problem);
  }
}

/** Nothing that looks like metadata was there: never formatted, or all of it overwritten. */
function isUntouched(seen: readonly string[]): boolean {
  return seen.every((what) => what === 'blank' || what === 'notOurs');
}

const WRONG_SPARE: Readonly<Record<WrongSpareReason, string>> = {
  noSuperblock:
    'carries no metadata, and cannot be a spare of this set; leave it out, or give the right device',
  replaced: 'was part of this set, but is not any more; leave it out',
  duplicate: 'is the same spare as another one that was given, so one is a copy; give only the right one',
  shrunk: 'is smaller than when it was formatted; give it its size back, or the right device',
};

function describeMismatch(mismatch: FingerprintMismatch): string {
  switch (mismatch.kind) {
    case 'sizeBytes':
      return `size is ${mismatch.actual}, recorded ${mismatch.recorded}`;
    case 'logicalBlockBytes':
      return `logical block is ${mismatch.actual}, recorded ${mismatch.recorded}`;
    case 'serial':
    case 'wwn':
    case 'model':
      return `${mismatch.kind} is "${mismatch.actual}", recorded "${mismatch.recorded}"`;
    case 'unidentified':
      return 'it shows no serial number or WWN, the recorded one did';
    case 'content':
      return `${mismatch.differingCount} of ${mismatch.comparedCount} sampled blocks were changed since the last clean stop`;
    default:
      return unreachable(mismatch);
  }
}
