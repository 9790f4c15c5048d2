import { storableText } from './codec.js';
import { type ContentSample, SAMPLE_COUNT, type Superblock, TEXT_BYTES } from './superblock.js';

/** How a main device is recognised: it carries none of our bytes, so its own properties have to do. */
export interface Fingerprint {
  readonly sizeBytes: number;
  readonly logicalBlockBytes: number;
  /** '' where the device has none or does not show it. */
  readonly model: string;
  readonly serial: string;
  readonly wwn: string;
  readonly contentSample: ContentSample;
}

/**
 * Everything in which this device differs from the recorded one; none when it may be used. `cleanShutdown`: contents
 * were sampled at the last stop and nothing of ours wrote since; without it they are not compared.
 *
 * A text counts only where both sides know it, since another controller or a USB bridge may hide it. A device that
 * shows neither serial number nor WWN where one was recorded can't be recognised, which is a difference of its own.
 */
export function compareFingerprint(
  recorded: Fingerprint,
  actual: Fingerprint,
  cleanShutdown: boolean,
): readonly FingerprintMismatch[] {
  const mismatches: FingerprintMismatch[] = [];
  for (const kind of ['sizeBytes', 'logicalBlockBytes'] as const) {
    if (recorded[kind] !== actual[kind])
      mismatches.push({ kind, recorded: recorded[kind], actual: actual[kind] });
  }
  for (const kind of ['serial', 'wwn', 'model'] as const) {
    const [was, is] = [storableText(recorded[kind], TEXT_BYTES), storableText(actual[kind], TEXT_BYTES)];
    if (was !== '' && is !== '' && was !== is) mismatches.push({ kind, recorded: was, actual: is });
  }
  if (hasIdentity(recorded) && !hasIdentity(actual)) mismatches.push({ kind: 'unidentified' });
  const content = cleanShutdown ? compareContent(recorded.contentSample, actual.contentSample) : undefined;
  return content === undefined ? mismatches : [...mismatches, content];
}

export type FingerprintMismatch =
  | { readonly kind: 'sizeBytes' | 'logicalBlockBytes'; readonly recorded: number; readonly actual: number }
  | { readonly kind: 'serial' | 'wwn' | 'model'; readonly recorded: string; readonly actual: string }
  /** The recorded device had a serial number or a WWN, this one shows neither. */
  | { readonly kind: 'unidentified' }
  /** Of `comparedCount` blocks that could be read both times, `differingCount` have other contents. */
  | { readonly kind: 'content'; readonly differingCount: number; readonly comparedCount: number };

export function recordedFingerprint(superblock: Superblock): Fingerprint {
  return {
    sizeBytes: superblock.mainDeviceBytes || superblock.mainSizeBytes,
    logicalBlockBytes: superblock.mainDeviceBlockBytes || superblock.logicalBlockBytes,
    model: superblock.mainModel,
    serial: superblock.mainSerial,
    wwn: superblock.mainWwn,
    contentSample: superblock.contentSample,
  };
}

/**
 * Where the sampled blocks start: the first 8 of the device (boot sector, partition table, first superblocks), then
 * 24 evenly spaced up to the last whole one. -1 where the device is too small to have that one.
 */
export function samplePositions(mainSizeBytes: number): readonly number[] {
  const blockCount = Math.floor(mainSizeBytes / SAMPLE_BYTES);
  return Array.from({ length: SAMPLE_COUNT }, (_, index) => {
    const spaced = index - LEADING_SAMPLES + 1;
    const block =
      spaced <= 0 ? index : Math.floor((spaced * (blockCount - 1)) / (SAMPLE_COUNT - LEADING_SAMPLES));
    return block >= 0 && block < blockCount ? block * SAMPLE_BYTES : -1;
  });
}

/** Length of a sampled block; its CRC is `crc32`. */
export const SAMPLE_BYTES = 4096;

const LEADING_SAMPLES = 8;

function hasIdentity({ serial, wwn }: Fingerprint): boolean {
  return serial !== '' || wwn !== '';
}

function compareContent(recorded: ContentSample, actual: ContentSample): FingerprintMismatch | undefined {
  let comparedCount = 0;
  let differingCount = 0;
  for (let index = 0; index < SAMPLE_COUNT; index += 1) {
    const inBoth = recorded.validMask & actual.validMask & (1 << index);
    if (inBoth === 0) continue;
    comparedCount += 1;
    if (recorded.crcs[index] !== actual.crcs[index]) differingCount += 1;
  }
  return differingCount === 0 ? undefined : { kind: 'content', differingCount, comparedCount };
}
