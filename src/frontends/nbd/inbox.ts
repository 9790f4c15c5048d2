import type { IoMemory } from '../../ports/io-memory.js';
import type { InboxBlocks } from './inbox-blocks.js';
import { INBOX_BYTES, INBOX_ROOM_BYTES } from './limits.js';

/**
 * Bytes a connection has received and not parsed yet: `start` to `end`, memory offsets inside one block. The bytes
 * before `start` may still be read by the device, so the block is only rewound when nobody else refers to it.
 */
export class Inbox {
  start = 0;
  end = 0;
  /** Bytes at the end of the block that are not received into. */
  reservedBytes = 0;
  private readonly blocks: InboxBlocks;
  private readonly memory: IoMemory;
  private readonly connection: number;
  private block = -1;
  private base = 0;

  constructor(blocks: InboxBlocks, memory: IoMemory, connection: number) {
    this.blocks = blocks;
    this.memory = memory;
    this.connection = connection;
  }

  get availableBytes(): number {
    return this.end - this.start;
  }

  /** Free bytes behind `end`. */
  get roomBytes(): number {
    return this.limit - this.end;
  }

  /** Memory offset of the reserved bytes. */
  get limit(): number {
    return this.base + INBOX_BYTES - this.reservedBytes;
  }

  /** Takes the first block; false when there is none now. */
  open(): boolean {
    this.block = this.blocks.acquire(this.connection);
    if (this.block === -1) return false;
    this.base = this.blocks.memoryOffset(this.block);
    this.start = this.base;
    this.end = this.base;
    return true;
  }

  close(): void {
    if (this.block !== -1) this.blocks.dropReference(this.block);
    this.block = -1;
  }

  /** Keeps the block, on behalf of a device write out of it; to be given back with `dropReference`. */
  share(): number {
    this.blocks.addReference(this.block);
    return this.block;
  }

  /** Makes sure `neededBytes` (counted from `start`) fit the block and a receive is worth it. False: try again later. */
  makeRoom(neededBytes: number): boolean {
    const alone = this.blocks.referenceCount(this.block) === 1;
    if (alone && this.start === this.end) {
      this.start = this.base;
      this.end = this.base;
      return true;
    }
    const fits = this.start + neededBytes <= this.limit;
    if (fits && this.roomBytes >= INBOX_ROOM_BYTES) return true;
    if (alone) {
      this.moveTo(this.base);
      return true;
    }
    return this.moveToNewBlock() || (fits && this.roomBytes > 0);
  }

  private moveToNewBlock(): boolean {
    const block = this.blocks.acquire(this.connection);
    if (block === -1) return false;
    this.blocks.dropReference(this.block);
    this.block = block;
    this.base = this.blocks.memoryOffset(block);
    this.moveTo(this.base);
    return true;
  }

  private moveTo(target: number): void {
    const lengthBytes = this.availableBytes;
    this.memory.bytes.copyWithin(target, this.start, this.end);
    this.start = target;
    this.end = target + lengthBytes;
  }
}
