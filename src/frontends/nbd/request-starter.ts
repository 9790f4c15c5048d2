import { assert } from '../../base/assert.js';
import { MAX_TRANSFER_BYTES, WriteZeroesFlag } from '../../ports/served-device.js';
import type { FlushHistory } from '../flush-history.js';
import { MAX_PIECES, READ_BYTES_PER_CONNECTION, STATUS_CHUNK_BYTES } from './limits.js';
import { META_CONTEXTS, type MetaContextSet } from './meta-contexts.js';
import { ChunkFlag, Command, CommandFlag } from './protocol.js';
import type { ReplyQueue } from './reply-queue.js';
import type { ServerResources } from './server-resources.js';
import { Step } from './step.js';

/** Gives requests without payload to the device, one after another; goes on later when memory or slots run out. */
export class RequestStarter {
  private readonly shared: ServerResources;
  private readonly replies: ReplyQueue;
  private readonly history: FlushHistory;
  private readonly connection: number;
  private readonly contexts: MetaContextSet;
  private request = -1;
  /** All memory of the read is there. */
  private reserved = false;
  /** Pieces of the read that the device has. */
  private submittedPieces = 0;
  private filledContexts: MetaContextSet = 0;

  constructor(
    shared: ServerResources,
    replies: ReplyQueue,
    history: FlushHistory,
    connection: number,
    contexts: MetaContextSet,
  ) {
    this.shared = shared;
    this.replies = replies;
    this.history = history;
    this.connection = connection;
    this.contexts = contexts;
  }

  begin(request: number): void {
    this.request = request;
    this.reserved = false;
    this.submittedPieces = 0;
    this.filledContexts = 0;
  }

  /** `goOn` when everything of the request is with the device, or done. */
  step(): Step {
    switch (this.shared.requests.type[this.request]) {
      case Command.read:
        return this.reserved ? this.submitRead() : this.reserveRead();
      case Command.blockStatus:
        return this.fillStatus();
      default:
        return this.submitWithoutData();
    }
  }

  /** All memory before the first operation: two reads that each hold half of what they need would wait for ever. */
  private reserveRead(): Step {
    const { buffers, requests } = this.shared;
    const lengthBytes = requests.lengthBytes[this.request]!;
    if (requests.pieceCount[this.request] === 0 && this.holdsEnough(lengthBytes)) return Step.needReplies;
    for (;;) {
      const reservedBytes = requests.pieceCount[this.request]! * MAX_TRANSFER_BYTES;
      if (reservedBytes >= lengthBytes) break;
      const pieceBytes = Math.min(lengthBytes - reservedBytes, MAX_TRANSFER_BYTES);
      const memoryOffset = buffers.allocate(this.connection, pieceBytes);
      if (memoryOffset === -1) return Step.needResource;
      this.replies.addPiece(this.request, memoryOffset, pieceBytes);
    }
    buffers.gate.passed(this.connection);
    this.reserved = true;
    return this.submitRead();
  }

  private holdsEnough(lengthBytes: number): boolean {
    const { heldBytes } = this.replies;
    return heldBytes > 0 && heldBytes + lengthBytes > READ_BYTES_PER_CONNECTION;
  }

  private submitRead(): Step {
    const { requests, slots, device } = this.shared;
    const { request } = this;
    while (this.submittedPieces < requests.pieceCount[request]!) {
      const slot = slots.acquire(this.connection, request);
      if (slot === -1) return Step.needResource;
      const index = request * MAX_PIECES + this.submittedPieces;
      const offsetBytes = requests.offsetBytes[request]! + this.submittedPieces * MAX_TRANSFER_BYTES;
      this.submittedPieces += 1;
      requests.outstanding[request]! += 1;
      device.read(slot, offsetBytes, requests.pieceBytes[index]!, requests.pieceMemory[index]!);
    }
    return Step.goOn;
  }

  /** One chunk per selected context, each in a buffer of its own; the device answers at once. */
  private fillStatus(): Step {
    const { buffers, requests, blockStatus } = this.shared;
    const onlyOne = (requests.flags[this.request]! & CommandFlag.requestOne) !== 0;
    for (const context of META_CONTEXTS) {
      const left = this.contexts & ~this.filledContexts;
      if ((left & context.bit) === 0) continue;
      const memoryOffset = buffers.allocate(this.connection, STATUS_CHUNK_BYTES);
      if (memoryOffset === -1) return Step.needResource;
      const chunkFlags = left === context.bit ? ChunkFlag.done : 0;
      const chunkBytes = blockStatus.writeChunk(memoryOffset, this.request, context.id, chunkFlags, onlyOne);
      this.replies.addPiece(this.request, memoryOffset, chunkBytes);
      this.filledContexts |= context.bit;
    }
    buffers.gate.passed(this.connection);
    return Step.goOn;
  }

  private submitWithoutData(): Step {
    const { requests, slots, device } = this.shared;
    const { request } = this;
    const slot = slots.acquire(this.connection, request);
    if (slot === -1) return Step.needResource;
    const type = requests.type[request]!;
    const offsetBytes = requests.offsetBytes[request]!;
    const lengthBytes = requests.lengthBytes[request]!;
    requests.outstanding[request] = 1;
    if (type === Command.flush) {
      requests.flushMark[request] = this.history.flushStarted();
      device.flush(slot);
    } else if (type === Command.trim) {
      device.discard(slot, offsetBytes, lengthBytes);
    } else {
      assert(type === Command.writeZeroes, 'other commands were refused or answered before');
      device.writeZeroes(slot, offsetBytes, lengthBytes, zeroesFlags(requests.flags[request]!));
    }
    return Step.goOn;
  }
}

function zeroesFlags(flags: number): number {
  return (
    (flags & CommandFlag.fua ? WriteZeroesFlag.durable : 0) |
    (flags & CommandFlag.noHole ? 0 : WriteZeroesFlag.mayUnmap) |
    (flags & CommandFlag.fastZero ? WriteZeroesFlag.fastOnly : 0)
  );
}
