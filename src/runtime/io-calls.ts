import { ERRNO, errnoName } from '../base/errno.js';
import { FlushHistory, UnflushedWrites } from '../frontends/flush-history.js';
import type { Poller } from '../kernel/reactor-interface.js';
import type { RequestSink } from '../ports/served-device.js';
import { MAX_TRANSFER_BYTES } from '../ports/served-device.js';
import type { Failure } from './failure.js';
import { failure } from './failure.js';
import type { StartedDevice } from './start-device.js';

/**
 * Reads, writes and flushes of the main thread (the library). Not a hot path: the data crosses threads as messages.
 * A call that finds no slot or no memory waits its turn.
 */
export class IoCalls implements RequestSink, Poller {
  readonly #started: StartedDevice;
  #waiting: Piece[] = [];
  readonly #inFlight = new Map<number, InFlight>();
  #bytesInFlight = 0;
  readonly #history: FlushHistory;

  constructor(started: StartedDevice) {
    this.#started = started;
    this.#history = new FlushHistory(new UnflushedWrites(started.device));
    started.backend.reactor.addPoller(this);
  }

  read(offsetBytes: number, lengthBytes: number, done: Done<Uint8Array>): void {
    const problem = this.#refusal(offsetBytes, lengthBytes);
    if (problem !== undefined) return done(failure('usage', problem), NOTHING);
    const data = roomFor(lengthBytes);
    if (data === undefined) return done(failure('usage', tooLong(lengthBytes)), NOTHING);
    this.#begin({ operation: 'read', offsetBytes, data, durable: false, done });
  }

  write(offsetBytes: number, data: Uint8Array, durable: boolean, done: Done<Uint8Array>): void {
    const problem = this.#refusal(offsetBytes, data.length);
    if (problem !== undefined) return done(failure('usage', problem), NOTHING);
    this.#begin({ operation: 'write', offsetBytes, data, durable, done });
  }

  flush(done: Done<Uint8Array>): void {
    this.#enqueue([
      {
        operation: 'flush',
        offsetBytes: 0,
        data: NOTHING,
        durable: false,
        call: { left: 1, failed: undefined, data: NOTHING, done },
      },
    ]);
  }

  /** Starts what waits, as far as slots and memory go. */
  poll(): boolean {
    while (this.#waiting.length > 0 && this.#start(this.#waiting[0]!)) this.#waiting.shift();
    return false;
  }

  get isIdle(): boolean {
    return this.#waiting.length === 0 && this.#inFlight.size === 0;
  }

  completed(slot: number, errno: number): void {
    const { piece, memoryOffset, flushMark } = this.#inFlight.get(slot)!;
    this.#inFlight.delete(slot);
    this.#bytesInFlight -= piece.data.length;
    if (piece.operation === 'write') this.#history.writeFinished();
    if (piece.operation === 'flush' && !this.#history.flushFinished(flushMark, errno === 0))
      errno = ERRNO.EIO;
    if (piece.operation === 'read') {
      piece.data.set(this.#started.memory.bytes.subarray(memoryOffset, memoryOffset + piece.data.length));
    }
    if (memoryOffset !== -1) this.#started.buffers.free(memoryOffset);
    this.#started.backend.reactor.kick();
    const { call } = piece;
    if (errno !== 0) call.failed ??= ioFailure(piece, errno);
    call.left -= 1;
    if (call.left === 0) call.done(call.failed, call.data);
  }

  #begin(request: IoRequest): void {
    const call: IoCall = { left: 0, failed: undefined, data: request.data, done: request.done };
    const pieces: Piece[] = [];
    for (let at = 0; at < request.data.length; at += MAX_TRANSFER_BYTES) {
      const data = request.data.subarray(at, at + MAX_TRANSFER_BYTES);
      pieces.push({ ...request, offsetBytes: request.offsetBytes + at, data, call });
    }
    call.left = pieces.length;
    this.#enqueue(pieces);
  }

  #refusal(offsetBytes: number, lengthBytes: number): string | undefined {
    const { sizeBytes, logicalBlockBytes } = this.#started.device.geometry;
    const isWhole = Number.isSafeInteger(offsetBytes) && offsetBytes % logicalBlockBytes === 0;
    if (!isWhole || lengthBytes % logicalBlockBytes !== 0)
      return `offset and length must be multiples of ${logicalBlockBytes}`;
    if (lengthBytes <= 0) return 'the length must be more than 0';
    if (offsetBytes < 0 || offsetBytes + lengthBytes > sizeBytes)
      return `beyond the end of the device (${sizeBytes} bytes)`;
    return undefined;
  }

  #enqueue(pieces: readonly Piece[]): void {
    this.#waiting.push(...pieces);
    this.#started.backend.reactor.kick();
  }

  #start(piece: Piece): boolean {
    const { device, buffers, memory } = this.#started;
    if (this.#bytesInFlight + piece.data.length > MAX_BYTES_IN_FLIGHT) return false;
    const memoryOffset = piece.operation === 'flush' ? -1 : buffers.allocate(piece.data.length);
    if (memoryOffset === -1 && piece.operation !== 'flush') return false;
    const slot = device.acquire(this);
    if (slot === -1) {
      if (memoryOffset !== -1) buffers.free(memoryOffset);
      return false;
    }
    const flushMark = piece.operation === 'flush' ? this.#history.flushStarted() : 0;
    this.#inFlight.set(slot, { piece, memoryOffset, flushMark });
    this.#bytesInFlight += piece.data.length;
    if (piece.operation === 'flush') {
      device.flush(slot);
    } else if (piece.operation === 'read') {
      device.read(slot, piece.offsetBytes, piece.data.length, memoryOffset);
    } else {
      memory.bytes.set(piece.data, memoryOffset);
      this.#history.writeStarted();
      device.write(slot, piece.offsetBytes, piece.data.length, memoryOffset, piece.durable);
    }
    return true;
  }
}

/** `problem` is undefined on success; `data` is what was read. */
export type Done<Value> = (problem: Failure | undefined, data: Value) => void;

interface InFlight {
  readonly piece: Piece;
  /** -1 for a flush. */
  readonly memoryOffset: number;
  readonly flushMark: number;
}

interface IoRequest {
  readonly operation: 'read' | 'write' | 'flush';
  readonly offsetBytes: number;
  readonly data: Uint8Array;
  readonly durable: boolean;
  readonly done: Done<Uint8Array>;
}

interface IoCall {
  left: number;
  failed: Failure | undefined;
  readonly data: Uint8Array;
  readonly done: Done<Uint8Array>;
}

interface Piece extends Omit<IoRequest, 'done'> {
  readonly call: IoCall;
}

/** Undefined: more than this process can have, or more than any array holds. */
function roomFor(lengthBytes: number): Uint8Array | undefined {
  try {
    return new Uint8Array(lengthBytes);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function tooLong(lengthBytes: number): string {
  return `${lengthBytes} bytes do not fit into memory at once; read them in parts`;
}

function ioFailure(piece: Piece, errno: number): Failure {
  const where = piece.operation === 'flush' ? '' : ` of ${piece.data.length} bytes at ${piece.offsetBytes}`;
  return failure('io', `${piece.operation}${where} failed: ${errnoName(errno)}`);
}

const NOTHING = new Uint8Array(0);
/** A quarter of the payload memory: the rest is for clients of the frontends. */
const MAX_BYTES_IN_FLIGHT = 32 << 20;
