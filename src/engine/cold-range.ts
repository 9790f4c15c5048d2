import { ERRNO } from '../base/errno.js';
import { beginChange } from './change-settled.js';
import type { ColdContext, Scratch } from './cold-context.js';
import { writeWithRelocation } from './cold-write.js';
import type { Procedure, Target } from './effect.js';
import { MAIN, perform } from './effect.js';
import { classifyError } from './error-policy.js';
import { flushFailureTotal, flushWritten } from './flush-all.js';
import { RANGE_CHUNK_BYTES } from './limits.js';
import { mirrorDiscard, mirrorZeroes } from './mirror.js';
import type { Segment } from './segments.js';
import { segmentsOf, targetsOf } from './segments.js';

export interface ZeroOptions {
  readonly durable: boolean;
  /** The main device may give up the space. */
  readonly mayUnmap: boolean;
  /** EOPNOTSUPP, with nothing changed, unless the device can do it without being sent zeroes. */
  readonly fastOnly: boolean;
}

/**
 * Any range, zeroed. Healthy units: the device's own command where it has one, else zeroes are written. Units on a
 * spare are written there, which gives lost blocks contents again. Locks chunk by chunk. Answers 0 or an errno.
 */
export function* zeroRange(
  context: ColdContext,
  scratch: Scratch,
  offsetBytes: number,
  lengthBytes: number,
  options: ZeroOptions,
): Procedure<number> {
  const failuresBefore = flushFailureTotal(context);
  const written = new Set<Target>();
  let refusedByDevice = false;
  for (const chunk of chunksOf(offsetBytes, lengthBytes)) {
    const lockId = yield* lockBytes(context, chunk.offsetBytes, chunk.lengthBytes);
    yield* beginChange(context, chunk.offsetBytes, chunk.lengthBytes);
    const result: ZeroedChunk = yield* zeroChunk(context, scratch, chunk, options, refusedByDevice);
    // Where it is by now: a unit that has moved on the way may have been written at its new place after that.
    for (const target of targetsOf(context, segmentsOf(context, chunk))) written.add(target);
    if (result.errno === 0)
      yield* mirrorZeroes(context, chunk.offsetBytes, chunk.lengthBytes, options.mayUnmap);
    else if (result.errno !== ERRNO.EOPNOTSUPP)
      context.mirror.noteFailedWrite(context, chunk.offsetBytes, chunk.lengthBytes);
    context.settled.endChange(chunk.offsetBytes, chunk.lengthBytes);
    yield* perform({ kind: 'unlock', lockId });
    if (result.errno !== 0) return result.errno;
    refusedByDevice = result.refusedByDevice;
  }
  return options.durable ? yield* flushWritten(context, failuresBefore, written) : 0;
}

/** Gives up the space of healthy units; the rest of the range keeps its contents, which a hint allows. */
export function* discardRange(
  context: ColdContext,
  offsetBytes: number,
  lengthBytes: number,
): Procedure<number> {
  for (const chunk of chunksOf(offsetBytes, lengthBytes)) {
    const lockId = yield* lockBytes(context, chunk.offsetBytes, chunk.lengthBytes);
    yield* beginChange(context, chunk.offsetBytes, chunk.lengthBytes);
    for (const segment of segmentsOf(context, chunk)) {
      if (segment.spareUnit !== -1 || context.breaker.isOpen) continue;
      const { offsetBytes: from, lengthBytes: size } = segment;
      // A refused hint is no error: the contents simply stay.
      yield* perform({ kind: 'discard', target: MAIN, offsetBytes: from, lengthBytes: size });
      yield* mirrorDiscard(context, from, size);
    }
    context.settled.endChange(chunk.offsetBytes, chunk.lengthBytes);
    yield* perform({ kind: 'unlock', lockId });
  }
  return 0;
}

function* zeroChunk(
  context: ColdContext,
  scratch: Scratch,
  chunk: Chunk,
  options: ZeroOptions,
  refusedBefore: boolean,
): Procedure<ZeroedChunk> {
  let refusedByDevice = refusedBefore;
  const segments = segmentsOf(context, chunk);
  // Healthy units first: whether the device can do it must be known before anything is changed.
  segments.sort((a, b) => Math.sign(a.spareUnit + 1) - Math.sign(b.spareUnit + 1));
  for (const segment of segments) {
    if (segment.spareUnit === -1 && !refusedByDevice && !isDoubtful(context, segment)) {
      const errno = yield* zeroOnMain(context, segment, options.mayUnmap);
      if (errno === 0) continue;
      if (errno === ERRNO.EOPNOTSUPP && options.fastOnly && segment === segments[0])
        return { errno, refusedByDevice: true };
      refusedByDevice = errno === ERRNO.EOPNOTSUPP;
    }
    const errno = yield* writeZeroesTo(context, scratch, segment);
    if (errno !== 0) return { errno, refusedByDevice };
  }
  return { errno: 0, refusedByDevice };
}

function* zeroOnMain(context: ColdContext, segment: Segment, mayUnmap: boolean): Procedure<number> {
  if (context.breaker.isOpen) return ERRNO.EIO;
  const { offsetBytes, lengthBytes } = segment;
  const result = yield* perform({ kind: 'writeZeroes', target: MAIN, offsetBytes, lengthBytes, mayUnmap });
  if (result >= 0) return 0;
  return classifyError(-result, 'write') === 'protocol' ? ERRNO.EOPNOTSUPP : -result;
}

/** Plain writes of zeroes, with all that a write does about bad sectors. */
function* writeZeroesTo(context: ColdContext, scratch: Scratch, segment: Segment): Procedure<number> {
  const end = segment.offsetBytes + segment.lengthBytes;
  for (let at = segment.offsetBytes; at < end; at += context.zeroes.lengthBytes) {
    const lengthBytes = Math.min(context.zeroes.lengthBytes, end - at);
    const piece = { offsetBytes: at, lengthBytes, memoryOffset: context.zeroes.memoryOffset };
    const errno = yield* writeWithRelocation(context, scratch, piece, PLAIN_WRITE);
    if (errno !== 0) return errno;
  }
  return 0;
}

function isDoubtful(context: ColdContext, segment: Segment): boolean {
  return context.doubtfulUnits.has(Math.floor(segment.offsetBytes / context.shape.unitBytes));
}

interface Chunk {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly memoryOffset: number;
}

function* chunksOf(offsetBytes: number, lengthBytes: number): Generator<Chunk, void, undefined> {
  const end = offsetBytes + lengthBytes;
  for (let at = offsetBytes; at < end; ) {
    const next = Math.min(end, at - (at % RANGE_CHUNK_BYTES) + RANGE_CHUNK_BYTES);
    yield { offsetBytes: at, lengthBytes: next - at, memoryOffset: 0 };
    at = next;
  }
}

function* lockBytes(context: ColdContext, offsetBytes: number, lengthBytes: number): Procedure<number> {
  const { unitBytes } = context.shape;
  const firstUnit = Math.floor(offsetBytes / unitBytes);
  const lastUnit = Math.floor((offsetBytes + lengthBytes - 1) / unitBytes);
  return yield* perform({ kind: 'lock', firstUnit, lastUnit });
}

interface ZeroedChunk {
  readonly errno: number;
  readonly refusedByDevice: boolean;
}

const PLAIN_WRITE = { durable: false, isUntried: true };
