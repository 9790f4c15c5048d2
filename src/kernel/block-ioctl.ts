import { failed, ok, type Result } from '../base/result.js';
import { mapMemory } from './aligned-memory.js';
import { ioctl } from './ffi.js';

/** What the block layer says about a device by ioctl. */
export interface BlockDeviceFacts {
  readonly sizeBytes: number;
  readonly logicalBlockBytes: number;
  readonly physicalBlockBytes: number;
  readonly rotational: boolean;
  readonly readOnly: boolean;
}

/** Asks an open block device; the error is a positive errno (ENOTTY where the file is no block device). */
export function blockDeviceFacts(fd: number): Result<BlockDeviceFacts, number> {
  const answer = mapMemory(8);
  try {
    return askAll(fd, answer.address, answer.view);
  } finally {
    answer.unmap();
  }
}

function askAll(fd: number, address: number, answer: DataView): Result<BlockDeviceFacts, number> {
  const values: number[] = [];
  for (const question of QUESTIONS) {
    answer.setUint32(0, 0, true);
    answer.setUint32(4, 0, true);
    const result = ioctl(fd, question.request, address);
    if (result < 0) return failed(-result);
    values.push(question.read(answer));
  }
  const [sizeBytes, logicalBlockBytes, physicalBlockBytes, rotational, readOnly] = values;
  return ok({
    sizeBytes: sizeBytes!,
    logicalBlockBytes: logicalBlockBytes!,
    physicalBlockBytes: physicalBlockBytes!,
    rotational: rotational !== 0,
    readOnly: readOnly !== 0,
  });
}

const readU16 = (answer: DataView): number => answer.getUint16(0, true);
const readU32 = (answer: DataView): number => answer.getUint32(0, true);
/** Sizes are below 2^53. */
const readU64 = (answer: DataView): number => answer.getUint32(4, true) * 2 ** 32 + readU32(answer);

/** linux/fs.h; the same numbers on x86-64 and arm64. The width is what the kernel stores (put_int, put_ushort ...). */
const QUESTIONS = [
  { name: 'BLKGETSIZE64', request: 0x8008_1272, read: readU64 },
  { name: 'BLKSSZGET', request: 0x1268, read: readU32 },
  { name: 'BLKPBSZGET', request: 0x127b, read: readU32 },
  { name: 'BLKROTATIONAL', request: 0x127e, read: readU16 },
  { name: 'BLKROGET', request: 0x125e, read: readU32 },
] as const;
