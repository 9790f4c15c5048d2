import { alignDown } from '../base/units.js';
import { extSignature, fatSignature, gptSignature, mbrSignature } from './disk-signature.js';
import { magicSignatures } from './magic-signature.js';
import { lvmSignature, mdSignature, moduleSignature, zfsSignature } from './member-signature.js';

/**
 * What a device holds besides dm-remap's own metadata: file systems, partition tables, membership of an array. Names
 * for people, joined where several are found (a disk may carry the remains of an earlier life), or null if nothing is
 * recognised, which does not prove that the device is empty. `read` answers with exactly the bytes asked for, or
 * undefined where they can't be read or lie outside the device.
 *
 * Sources: util-linux libblkid/src/superblocks, the formats' own documentation, shared/facts/upstream.md section 2.
 */
export function recognise(read: ReadBytes, deviceSizeBytes: number): string | null {
  const names = EXACT.map((recogniser) => recogniser(read, deviceSizeBytes)).filter((name) => name !== null);
  if (names.length > 0) return names.join(' and ');
  return fatSignature(read) ?? mbrSignature(read);
}

/** The byte ranges that `recognise` looks at: it asks for parts of these only. */
export function signatureProbes(deviceSizeBytes: number): readonly ByteSpan[] {
  const tailOffset = alignDown(deviceSizeBytes, TAIL_ALIGNMENT_BYTES) - TAIL_BYTES;
  if (tailOffset <= HEAD_BYTES) return [{ offsetBytes: 0, lengthBytes: deviceSizeBytes }];
  return [
    { offsetBytes: 0, lengthBytes: HEAD_BYTES },
    { offsetBytes: tailOffset, lengthBytes: deviceSizeBytes - tailOffset },
  ];
}

export type ReadBytes = (offsetBytes: number, lengthBytes: number) => Uint8Array | undefined;

export interface ByteSpan {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

type Recogniser = (read: ReadBytes, deviceSizeBytes: number) => string | null;

/** Boot sectors come after these: many formats carry one too. */
const EXACT: readonly Recogniser[] = [
  mdSignature,
  lvmSignature,
  zfsSignature,
  moduleSignature,
  magicSignatures,
  extSignature,
  gptSignature,
];

/** Up to the last copy of the kernel module's metadata at 512 KiB; everything else is before it. */
const HEAD_BYTES = 576 << 10;
/** ZFS keeps two labels of 256 KiB at the end, aligned to 256 KiB; md and the second GPT are behind their start. */
const TAIL_BYTES = 512 << 10;
const TAIL_ALIGNMENT_BYTES = 256 << 10;
