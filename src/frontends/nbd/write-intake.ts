import type { Inbox } from './inbox.js';
import { SMALL_WRITE_BYTES, WRITE_CHUNK_BYTES } from './limits.js';
import { CommandFlag } from './protocol.js';
import type { ServerResources } from './server-resources.js';
import { Step } from './step.js';

/**
 * Takes the payload of one write after another. A payload that lies whole in the inbox is written from there (or
 * copied, where the device wants aligned memory). A longer one is cut into chunks, each received straight into a
 * buffer and written as soon as it is complete.
 */
export class WriteIntake {
  /** Where to receive when `step` says needBytes: the open chunk, or (0 bytes) the inbox. */
  receiveMemory = 0;
  receiveBytes = 0;
  /** Bytes the inbox must hold from its start on, when `receiveBytes` is 0. */
  inboxBytes = 0;
  /** The last payload came in chunks: the next one probably does too. */
  wasLarge = false;
  private readonly shared: ServerResources;
  private readonly inbox: Inbox;
  private readonly connection: number;
  private request = -1;
  private submittedBytes = 0;
  private chunkMemory = -1;
  private chunkBytes = 0;
  private chunkFilledBytes = 0;

  constructor(shared: ServerResources, inbox: Inbox, connection: number) {
    this.shared = shared;
    this.inbox = inbox;
    this.connection = connection;
  }

  get holdsChunk(): boolean {
    return this.chunkMemory !== -1;
  }

  begin(request: number): void {
    this.request = request;
    this.submittedBytes = 0;
    this.wasLarge = false;
  }

  /** Goes on with the payload; `goOn` when all of it has been given to the device. */
  step(): Step {
    while (this.remainingBytes > 0) {
      const step = this.holdsChunk ? this.fillChunk() : this.takeNext();
      if (step !== Step.goOn) return step;
    }
    return Step.goOn;
  }

  /** Bytes arrived in the open chunk. */
  received(lengthBytes: number): void {
    this.chunkFilledBytes += lengthBytes;
  }

  /** Frees the open chunk; nothing may be receiving into it. */
  abandon(): void {
    if (this.holdsChunk) this.shared.buffers.free(this.chunkMemory);
    this.chunkMemory = -1;
  }

  private get remainingBytes(): number {
    return this.shared.requests.lengthBytes[this.request]! - this.submittedBytes;
  }

  private takeNext(): Step {
    const remainingBytes = this.remainingBytes;
    if (this.inbox.availableBytes >= remainingBytes) return this.writeFromInbox(remainingBytes);
    if (this.submittedBytes === 0 && remainingBytes <= SMALL_WRITE_BYTES) {
      this.receiveBytes = 0;
      this.inboxBytes = remainingBytes;
      return Step.needBytes;
    }
    return this.openChunk(Math.min(remainingBytes, WRITE_CHUNK_BYTES));
  }

  private writeFromInbox(lengthBytes: number): Step {
    const { device, slots } = this.shared;
    const { start } = this.inbox;
    // Alignment is asked of the memory only; the copy costs less than a second trip through the socket.
    if (start % device.geometry.memoryAlignmentBytes !== 0) return this.openChunk(lengthBytes);
    const slot = slots.acquire(this.connection, this.request);
    if (slot === -1) return Step.needResource;
    slots.inbox[slot] = this.inbox.share();
    this.inbox.start += lengthBytes;
    this.submit(slot, start, lengthBytes);
    return Step.goOn;
  }

  private openChunk(lengthBytes: number): Step {
    const memoryOffset = this.shared.buffers.allocate(this.connection, lengthBytes);
    if (memoryOffset === -1) return Step.needResource;
    this.shared.buffers.gate.passed(this.connection);
    this.chunkMemory = memoryOffset;
    this.chunkBytes = lengthBytes;
    this.chunkFilledBytes = 0;
    return Step.goOn;
  }

  private fillChunk(): Step {
    this.copyFromInbox();
    if (this.chunkFilledBytes === this.chunkBytes) return this.submitChunk();
    this.wasLarge = true;
    this.receiveMemory = this.chunkMemory + this.chunkFilledBytes;
    this.receiveBytes = this.chunkBytes - this.chunkFilledBytes;
    return Step.needBytes;
  }

  private copyFromInbox(): void {
    const { inbox } = this;
    const lengthBytes = Math.min(inbox.availableBytes, this.chunkBytes - this.chunkFilledBytes);
    if (lengthBytes === 0) return;
    const target = this.chunkMemory + this.chunkFilledBytes;
    this.shared.memory.bytes.copyWithin(target, inbox.start, inbox.start + lengthBytes);
    inbox.start += lengthBytes;
    this.chunkFilledBytes += lengthBytes;
  }

  private submitChunk(): Step {
    const { slots } = this.shared;
    const slot = slots.acquire(this.connection, this.request);
    if (slot === -1) return Step.needResource;
    slots.buffer[slot] = this.chunkMemory;
    const memoryOffset = this.chunkMemory;
    this.chunkMemory = -1;
    this.submit(slot, memoryOffset, this.chunkBytes);
    return Step.goOn;
  }

  private submit(slot: number, memoryOffset: number, lengthBytes: number): void {
    const { device, requests } = this.shared;
    const offsetBytes = requests.offsetBytes[this.request]! + this.submittedBytes;
    const durable = (requests.flags[this.request]! & CommandFlag.fua) !== 0;
    this.submittedBytes += lengthBytes;
    requests.outstanding[this.request]! += 1;
    device.write(slot, offsetBytes, lengthBytes, memoryOffset, durable);
  }
}
