import { crc32 } from '../base/crc32.js';
import { sampleContent } from '../device/sample-content.js';
import {
  compareFingerprint,
  type FingerprintMismatch,
  recordedFingerprint,
  SAMPLE_BYTES,
} from '../format/fingerprint.js';
import type { Superblock } from '../format/superblock.js';
import { compareIdentity } from '../runtime/compare-identity.js';
import { OfflineSession } from '../runtime/offline-session.js';
import { describeDevice, describeIdentity } from './describe-device.js';
import { DmRemapError } from './errors.js';
import type { MainProof, ScanProblem } from './scan-types.js';

export interface FoundMain {
  readonly path: string | null;
  readonly provedBy: MainProof | null;
  /** What can't be told apart, where `path` is null. */
  readonly candidates?: readonly string[];
  readonly problems: readonly ScanProblem[];
}

/**
 * Finds the main device that a superblock speaks of among devices of its size (P6): by serial number or WWN, else by
 * the contents that were sampled at the last clean stop. A size alone proves nothing: several devices have it.
 */
export async function findMain(superblock: Superblock, paths: readonly string[]): Promise<FoundMain> {
  const judged: JudgedMain[] = [];
  for (const path of paths) {
    const one = await judgeMain(superblock, path);
    if (one !== undefined) judged.push(one);
  }
  const known = judged.filter(({ proof }) => proof === 'serialNumber');
  const right = judged.filter(({ proof, mismatches }) => proof !== undefined && mismatches.length === 0);
  if (right.length > 1) return several(right);
  if (right[0] !== undefined) return { path: right[0].path, provedBy: right[0].proof!, problems: [] };
  if (known.length > 1) return several(known);
  if (known[0] !== undefined) return changed(known[0]);
  const changedOnes = judged.filter(isChanged);
  if (changedOnes.length === 1) return changed(changedOnes[0]!);
  return withoutProof(superblock, judged);
}

/** A main device that a person named: is it the recorded one? */
export async function judgeNamedMain(superblock: Superblock, path: string): Promise<FoundMain> {
  const judged = await judgeMain(superblock, path);
  if (judged === undefined) throw new DmRemapError('device', `${path}: can't be read`);
  if (judged.mismatches.length > 0) {
    if (judged.proof === 'serialNumber' || isChanged(judged)) return changed(judged);
    return { path, provedBy: null, problems: [wrongMain(judged)] };
  }
  return { path, provedBy: judged.proof ?? 'size', problems: [] };
}

interface JudgedMain {
  readonly path: string;
  readonly name: string;
  /** Undefined: nothing tells it from another device of its size. */
  readonly proof: 'serialNumber' | 'contents' | undefined;
  readonly mismatches: readonly FingerprintMismatch[];
  /** Sampled blocks that are as recorded, those of zeroes left out. */
  readonly agreeingCount: number;
}

/** Undefined where it can't be read: then it can't be started with, either. */
async function judgeMain(superblock: Superblock, path: string): Promise<JudgedMain | undefined> {
  const opened = OfflineSession.open([{ path, readOnly: true }]);
  if (!opened.ok) return undefined;
  const session = opened.value;
  try {
    const { sizeBytes, logicalBlockBytes, identity } = session.geometries[0]!;
    const recorded = recordedFingerprint(superblock);
    const isSampled = superblock.cleanShutdown && sizeBytes === recorded.sizeBytes;
    const { validMask, crcs } = recorded.contentSample;
    const unsampled = (index: number): boolean => ((validMask >>> index) & 1) === 0;
    const { memory, bufferOffset } = session;
    const contentSample = isSampled
      ? await session.run(sampleContent(superblock.mainSizeBytes, memory, bufferOffset, unsampled))
      : { validMask: 0, crcs };
    // An image file has one of 512 bytes, whatever the set was made for: the start opens it as recorded.
    const blockBytes = Math.max(logicalBlockBytes, recorded.logicalBlockBytes);
    const actual = { sizeBytes, logicalBlockBytes: blockBytes, ...identity, contentSample };
    const mismatches = compareFingerprint(recorded, actual, isSampled);
    const telling = crcs.flatMap((crc, index) =>
      (contentSample.validMask & (1 << index)) !== 0 && crc !== ZERO_SAMPLE_CRC ? [index] : [],
    );
    const agreeingCount = telling.filter((index) => contentSample.crcs[index] === crcs[index]).length;
    const isSame = compareIdentity(recorded, identity) === 'same';
    const proof = isSame ? 'serialNumber' : telling.length > 0 ? 'contents' : undefined;
    return { path, name: describeDevice(path, identity), proof, mismatches, agreeingCount };
  } finally {
    session.close();
  }
}

function several(found: readonly JudgedMain[]): FoundMain {
  const names = found.map(({ name }) => name).join(' and ');
  const message = `${names} are the same main device by all that can be seen, so one is a copy or a second path to it`;
  const candidates = found.map(({ path }) => path);
  return {
    path: null,
    provedBy: null,
    candidates,
    problems: [{ id: 'mainSeenTwice', blocks: true, message }],
  };
}

/** It holds part of what the main device held, and nothing but its contents speaks against it. */
function isChanged({ mismatches, agreeingCount }: JudgedMain): boolean {
  return agreeingCount > 0 && mismatches.length > 0 && mismatches.every(({ kind }) => kind === 'content');
}

function changed({ path, name, proof, mismatches, agreeingCount }: JudgedMain): FoundMain {
  const content = mismatches.find(({ kind }) => kind === 'content');
  const why =
    proof === 'serialNumber'
      ? 'is the main device by its serial number'
      : `looks like the main device by ${agreeingCount} sampled blocks`;
  const message =
    content?.kind === 'content'
      ? `${name} ${why}, but ${content.differingCount} of ${content.comparedCount} sampled blocks differ from the last clean stop: it was written without dm-remap, or the spares are an old copy`
      : `${name} is the main device by its serial number, but ${mismatches.map(({ kind }) => kind).join(', ')} differ from what is recorded`;
  return { path, provedBy: null, problems: [{ id: 'mainChanged', blocks: true, message }] };
}

function wrongMain({ name, mismatches }: JudgedMain): ScanProblem {
  const message = `${name} is not the recorded main device (${mismatches.map(describeMismatch).join('; ')})`;
  return { id: 'wrongMain', blocks: true, message };
}

/** The only device that nothing speaks against is a hint, and no more. */
function withoutProof(superblock: Superblock, judged: readonly JudgedMain[]): FoundMain {
  const possible = judged.filter(({ mismatches }) => mismatches.length === 0);
  const names = possible.map(({ name }) => name).join(' or ');
  const recorded = describeIdentity({ model: superblock.mainModel, serial: superblock.mainSerial });
  const what = `${recordedFingerprint(superblock).sizeBytes} bytes${recorded === '' ? '' : `, ${recorded}`}`;
  if (possible.length === 0) {
    const message = `the main device is missing: ${what}${othersOfItsSize(judged)}`;
    return { path: null, provedBy: null, problems: [{ id: 'mainMissing', blocks: true, message }] };
  }
  const message = `the main device (${what}) may be ${names}, but nothing but the size says so`;
  const candidates = possible.map((one) => one.path);
  const path = candidates.length === 1 ? candidates[0]! : null;
  const provedBy = path === null ? null : 'size';
  return {
    path,
    provedBy,
    candidates: path === null ? candidates : [],
    problems: [{ id: 'mainUnproven', blocks: true, message }],
  };
}

/** What was found in its stead. */
function othersOfItsSize(judged: readonly JudgedMain[]): string {
  if (judged.length === 0) return '';
  const named = judged
    .slice(0, NAMED_OTHERS)
    .map(({ name, mismatches }) => `${name}: ${mismatches.map(describeMismatch).join(', ')}`);
  const more = judged.length > NAMED_OTHERS ? ` (and ${judged.length - NAMED_OTHERS} more)` : '';
  return `; of that size is ${named.join('; ')}${more}`;
}

function describeMismatch(mismatch: FingerprintMismatch): string {
  if (mismatch.kind === 'unidentified') return 'it shows no serial number, the recorded one did';
  if (mismatch.kind === 'content')
    return `${mismatch.differingCount} of ${mismatch.comparedCount} sampled blocks differ`;
  return `${mismatch.kind} is ${mismatch.actual}, recorded ${mismatch.recorded}`;
}

const NAMED_OTHERS = 4;
/** Blank devices are all alike: a block of zeroes proves nothing. */
const ZERO_SAMPLE_CRC = crc32(new Uint8Array(SAMPLE_BYTES));
