import { ERRNO, errnoName } from '../base/errno.js';
import { failed, ok, type Result } from '../base/result.js';
import { type MappedMemory, mapMemory } from './aligned-memory.js';
import { close, ioUringSetup, mmap, munmap, viewMemory } from './ffi.js';
import { CQE_BYTES, FEATURE, PARAMS, SETUP, SQE_BYTES, SQE_MAP_OFFSET } from './uring-abi.js';

/** A ring as the kernel made it: descriptor, shared memory, and where things are in it (in 32-bit words). */
export interface RingMapping {
  readonly fd: number;
  readonly setupFlags: number;
  readonly features: number;
  readonly sqEntries: number;
  readonly cqEntries: number;
  readonly words: Int32Array<ArrayBuffer>;
  readonly entryWords: Uint32Array<ArrayBuffer>;
  readonly sqHeadWord: number;
  readonly sqTailWord: number;
  readonly sqFlagsWord: number;
  readonly cqHeadWord: number;
  readonly cqTailWord: number;
  readonly cqeFirstWord: number;
  /** Closes the descriptor and unmaps the memory: no access afterwards. */
  release(): void;
}

/** Why there is no ring. `meaning` is for people. */
export interface RingFailure {
  readonly errno: number;
  readonly meaning: string;
}

/**
 * Makes a ring with the first of `flagChoices` that this kernel takes, and maps it. Entries are clamped to the kernel's
 * limits.
 */
export function mapRing(
  sqEntries: number,
  cqEntries: number,
  flagChoices: readonly number[] = FLAG_CHOICES,
): Result<RingMapping, RingFailure> {
  const params = mapMemory(PARAMS.SIZE_BYTES);
  const fd = setUp(params, sqEntries, cqEntries, flagChoices);
  const result = fd < 0 ? failed(explain(-fd)) : mapRingMemory(fd, params.view);
  params.unmap();
  return result;
}

const COMMON = SETUP.CQSIZE | SETUP.CLAMP;
/** From the best to the oldest: Linux 6.1, 5.19, 5.11. */
const FLAG_CHOICES = [
  COMMON | SETUP.SUBMIT_ALL | SETUP.TASKRUN_FLAG | SETUP.SINGLE_ISSUER | SETUP.DEFER_TASKRUN,
  COMMON | SETUP.SUBMIT_ALL | SETUP.TASKRUN_FLAG | SETUP.COOP_TASKRUN,
  COMMON,
];

/** The ring's descriptor or a negative errno. An unknown flag is EINVAL; anything else fails at once. */
function setUp(
  params: MappedMemory,
  sqEntries: number,
  cqEntries: number,
  flagChoices: readonly number[],
): number {
  let fd = -ERRNO.EINVAL;
  for (const flags of flagChoices) {
    params.bytes.fill(0);
    params.view.setUint32(PARAMS.FLAGS, flags, true);
    params.view.setUint32(PARAMS.CQ_ENTRIES, cqEntries, true);
    fd = ioUringSetup(sqEntries, params.address);
    if (fd !== -ERRNO.EINVAL) return fd;
  }
  return fd;
}

function mapRingMemory(fd: number, params: DataView): Result<RingMapping, RingFailure> {
  const field = (offset: number) => params.getUint32(offset, true);
  const features = field(PARAMS.FEATURES);
  if ((features & NEEDED_FEATURES) !== NEEDED_FEATURES) {
    close(fd);
    return failed(explain(ERRNO.EINVAL));
  }
  const sqEntries = field(PARAMS.SQ_ENTRIES);
  const cqEntries = field(PARAMS.CQ_ENTRIES);
  const ringBytes = Math.max(
    field(PARAMS.SQ_ARRAY) + sqEntries * 4,
    field(PARAMS.CQ_CQES) + cqEntries * CQE_BYTES,
  );
  const isWide = (field(PARAMS.FLAGS) & SETUP.SQE128) !== 0;
  const entryBytes = sqEntries * (isWide ? SQE_BYTES * 2 : SQE_BYTES);
  const ringAddress = mmap(ringBytes, PROT_READ_WRITE, MAP_SHARED_POPULATE, fd, 0);
  const entryAddress = mmap(entryBytes, PROT_READ_WRITE, MAP_SHARED_POPULATE, fd, SQE_MAP_OFFSET);
  const release = () => {
    if (ringAddress > 0) munmap(ringAddress, ringBytes);
    if (entryAddress > 0) munmap(entryAddress, entryBytes);
    close(fd);
  };
  if (ringAddress < 0 || entryAddress < 0) {
    release();
    return failed(explain(-Math.min(ringAddress, entryAddress)));
  }
  const words = new Int32Array(viewMemory(ringAddress, ringBytes));
  fillIndexArray(words, field(PARAMS.SQ_ARRAY) / 4, sqEntries);
  return ok({
    fd,
    setupFlags: field(PARAMS.FLAGS),
    features,
    sqEntries,
    cqEntries,
    words,
    entryWords: new Uint32Array(viewMemory(entryAddress, entryBytes)),
    sqHeadWord: field(PARAMS.SQ_HEAD) / 4,
    sqTailWord: field(PARAMS.SQ_TAIL) / 4,
    sqFlagsWord: field(PARAMS.SQ_FLAGS) / 4,
    cqHeadWord: field(PARAMS.CQ_HEAD) / 4,
    cqTailWord: field(PARAMS.CQ_TAIL) / 4,
    cqeFirstWord: field(PARAMS.CQ_CQES) / 4,
    release,
  });
}

const NEEDED_FEATURES = FEATURE.SINGLE_MMAP | FEATURE.NODROP | FEATURE.EXT_ARG;
const PROT_READ_WRITE = 3;
const MAP_SHARED_POPULATE = 0x8001;

/** The kernel finds entries through an array of indexes; ours never changes: position i is entry i. */
function fillIndexArray(words: Int32Array, firstWord: number, count: number): void {
  for (let index = 0; index < count; index += 1) words[firstWord + index] = index;
}

function explain(errno: number): RingFailure {
  return { errno, meaning: MEANINGS[errno] ?? `io_uring cannot be used: ${errnoName(errno)}` };
}

const MEANINGS: Readonly<Record<number, string>> = {
  [ERRNO.ENOSYS]: 'this kernel was built without io_uring',
  [ERRNO.EPERM]:
    "io_uring is forbidden here: by the sysctl kernel.io_uring_disabled, or by a container's seccomp profile",
  [ERRNO.EINVAL]: 'this kernel is too old: io_uring of Linux 5.11 or later is needed',
  [ERRNO.ENOMEM]:
    'not enough memory for an io_uring, or the limit of locked memory is reached (RLIMIT_MEMLOCK)',
};
