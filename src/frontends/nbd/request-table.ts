import { assert } from '../../base/assert.js';
import { MAX_PIECES } from './limits.js';
import { TurnGate } from './turn-gate.js';

/** Requests of all connections, from their header to their sent reply, in columns indexed by request number. */
export class RequestTable {
  readonly gate = new TurnGate();
  readonly connection: Int32Array;
  readonly cookieHigh: Uint32Array;
  readonly cookieLow: Uint32Array;
  /** `Command`. */
  readonly type: Uint8Array;
  /** `CommandFlag` bits. */
  readonly flags: Uint16Array;
  readonly offsetBytes: Float64Array;
  readonly lengthBytes: Uint32Array;
  /** NBD error so far. */
  readonly error: Uint16Array;
  /** Device operations in flight. */
  readonly outstanding: Uint16Array;
  /** 1 while more device operations are to be started. */
  readonly starting: Uint8Array;
  /** For FLUSH: what it will have covered, see `FlushHistory`. */
  readonly flushMark: Float64Array;
  /** Length of the reply header, which lies in the request's header area. */
  readonly headerBytes: Uint16Array;
  /** Data of the reply: `pieceCount` buffers from `request * MAX_PIECES` on. */
  readonly pieceCount: Uint8Array;
  readonly pieceMemory: Float64Array;
  readonly pieceBytes: Uint32Array;
  /** Links of the free list and of reply queues; -1 at the end. */
  readonly next: Int32Array;
  private free = 0;
  private count = 0;

  constructor(capacity: number) {
    this.connection = new Int32Array(capacity).fill(-1);
    this.cookieHigh = new Uint32Array(capacity);
    this.cookieLow = new Uint32Array(capacity);
    this.type = new Uint8Array(capacity);
    this.flags = new Uint16Array(capacity);
    this.offsetBytes = new Float64Array(capacity);
    this.lengthBytes = new Uint32Array(capacity);
    this.error = new Uint16Array(capacity);
    this.outstanding = new Uint16Array(capacity);
    this.starting = new Uint8Array(capacity);
    this.flushMark = new Float64Array(capacity);
    this.headerBytes = new Uint16Array(capacity);
    this.pieceCount = new Uint8Array(capacity);
    this.pieceMemory = new Float64Array(capacity * MAX_PIECES);
    this.pieceBytes = new Uint32Array(capacity * MAX_PIECES);
    this.next = Int32Array.from({ length: capacity }, (_, i) => (i + 1 < capacity ? i + 1 : -1));
  }

  get inUse(): number {
    return this.count;
  }

  /** A request of this connection in state "starting", or -1 when all are taken. */
  acquire(connection: number): number {
    if (!this.gate.mayTake(connection)) return -1;
    const request = this.free;
    if (request === -1) {
      this.gate.blocked(connection);
      return -1;
    }
    this.gate.passed(connection);
    this.free = this.next[request]!;
    this.count += 1;
    this.connection[request] = connection;
    this.error[request] = 0;
    this.outstanding[request] = 0;
    this.starting[request] = 1;
    // A flush that ends before it began covers nothing.
    this.flushMark[request] = 0;
    this.headerBytes[request] = 0;
    this.pieceCount[request] = 0;
    this.next[request] = -1;
    return request;
  }

  release(request: number): void {
    assert(this.connection[request] !== -1, 'a request is released once');
    assert(this.outstanding[request] === 0, 'a released request has no device operation');
    assert(this.pieceCount[request] === 0, 'a released request holds no buffer');
    this.connection[request] = -1;
    this.next[request] = this.free;
    this.free = request;
    this.count -= 1;
  }

  addPiece(request: number, memoryOffset: number, lengthBytes: number): void {
    const index = request * MAX_PIECES + this.pieceCount[request]!;
    this.pieceMemory[index] = memoryOffset;
    this.pieceBytes[index] = lengthBytes;
    this.pieceCount[request]! += 1;
  }

  /** Everything was started and has completed. */
  isDone(request: number): boolean {
    return this.outstanding[request] === 0 && this.starting[request] === 0;
  }
}
