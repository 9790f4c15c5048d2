import { assert } from '../../base/assert.js';
import { ERRNO } from '../../base/errno.js';
import { SECTOR_BYTES } from '../../base/units.js';
import type { RequestSink, ServedDevice } from '../../ports/served-device.js';
import { WriteZeroesFlag } from '../../ports/served-device.js';
import type { UblkChannel, UblkChannelSink } from '../../ports/ublk-channel.js';
import type { FlushFailures } from './flush-failures.js';
import {
  DESCRIPTION_WORD,
  DESCRIPTION_WORDS,
  OPERATION_MASK,
  UblkFlag,
  UblkOperation,
} from './request-description.js';

/**
 * One hardware queue of a ublk block device on a protected device: takes requests off the channel, starts them, and
 * commits their results. Tags map to slots of the device; nothing is allocated per request.
 */
export class UblkQueue implements UblkChannelSink, RequestSink {
  readonly #parts: UblkQueueParts;
  /** By slot. */
  readonly #tagOfSlot: Uint16Array;
  /** Tags that found every slot taken, first come first served. */
  readonly #waiting: number[] = [];
  /** Requests that arrived and are not committed. */
  #activeCount = 0;
  #endedTagCount = 0;
  #isReleasing = false;
  #onReleased: (() => void) | undefined;
  #onEnded: (() => void) | undefined;

  constructor(parts: UblkQueueParts) {
    this.#parts = parts;
    this.#tagOfSlot = new Uint16Array(parts.device.slotCount);
    parts.channel.attach(this);
  }

  /** Asks for the first request of every tag. `ended` is called when the driver has taken the last tag back. */
  start(ended: () => void): void {
    this.#onEnded = ended;
    const { channel } = this.#parts;
    for (let tag = 0; tag < channel.depth; tag += 1) channel.fetch(tag, this.#memoryOf(tag));
  }

  /**
   * Stops taking requests; `released` is called when those in hand are committed. What arrives from now on is left
   * to the server that takes the device over: the driver gives it out again.
   */
  release(released: () => void): void {
    this.#isReleasing = true;
    this.#onReleased = released;
    this.#checkReleased();
  }

  /** Starts requests that had to wait for a slot. */
  poll(): boolean {
    while (this.#waiting.length > 0) {
      const slot = this.#parts.device.acquire(this);
      if (slot === -1) return false;
      this.#begin(this.#waiting.shift()!, slot);
    }
    return false;
  }

  arrived(tag: number, result: number): void {
    if (result === -ERRNO.ENODEV) return this.#tagEnded();
    assert(result === 0, `the ublk driver refused a command for tag ${tag}: errno ${-result}`);
    if (this.#isReleasing) return;
    this.#activeCount += 1;
    const slot = this.#waiting.length === 0 ? this.#parts.device.acquire(this) : -1;
    if (slot === -1) this.#waiting.push(tag);
    else this.#begin(tag, slot);
  }

  completed(slot: number, errno: number): void {
    const tag = this.#tagOfSlot[slot]!;
    const { channel } = this.#parts;
    this.#activeCount -= 1;
    channel.commit(tag, this.#resultOf(tag, errno), this.#memoryOf(tag));
    if (this.#waiting.length > 0) this.#parts.kick();
    if (this.#isReleasing) this.#checkReleased();
  }

  #begin(tag: number, slot: number): void {
    const { device, channel } = this.#parts;
    const { descriptors } = channel;
    const first = tag * DESCRIPTION_WORDS;
    const operation = descriptors[first + DESCRIPTION_WORD.OPERATION]!;
    this.#tagOfSlot[slot] = tag;
    if ((operation & OPERATION_MASK) === UblkOperation.flush) return device.flush(slot);
    const lengthBytes = descriptors[first + DESCRIPTION_WORD.SECTOR_COUNT]! * SECTOR_BYTES;
    const offsetBytes =
      (descriptors[first + DESCRIPTION_WORD.START_SECTOR_HIGH]! * 2 ** 32 +
        descriptors[first + DESCRIPTION_WORD.START_SECTOR_LOW]!) *
      SECTOR_BYTES;
    switch (operation & OPERATION_MASK) {
      case UblkOperation.read:
        return device.read(slot, offsetBytes, lengthBytes, this.#memoryOf(tag));
      case UblkOperation.write: {
        const durable = (operation & UblkFlag.fua) !== 0;
        return device.write(slot, offsetBytes, lengthBytes, this.#memoryOf(tag), durable);
      }
      case UblkOperation.discard:
        return device.discard(slot, offsetBytes, lengthBytes);
      case UblkOperation.writeZeroes: {
        const unmap = (operation & UblkFlag.noUnmap) === 0 ? WriteZeroesFlag.mayUnmap : 0;
        const durable = (operation & UblkFlag.fua) !== 0 ? WriteZeroesFlag.durable : 0;
        return device.writeZeroes(slot, offsetBytes, lengthBytes, unmap | durable);
      }
      default:
        this.#refuse(tag, slot);
    }
  }

  /** An operation that was never offered. */
  #refuse(tag: number, slot: number): void {
    this.#parts.device.release(slot);
    this.#activeCount -= 1;
    this.#parts.channel.commit(tag, -ERRNO.EOPNOTSUPP, this.#memoryOf(tag));
  }

  /** What the driver wants to hear: bytes of a transfer, else 0, or a negative errno. */
  #resultOf(tag: number, errno: number): number {
    const { channel, device, flushFailures } = this.#parts;
    const first = tag * DESCRIPTION_WORDS;
    const operation = channel.descriptors[first + DESCRIPTION_WORD.OPERATION]! & OPERATION_MASK;
    if (operation === UblkOperation.flush && flushFailures.takeUntold(device.flushFailureCount)) {
      return -ERRNO.EIO;
    }
    if (errno !== 0) return -errno;
    if (operation > UblkOperation.write) return 0;
    return channel.descriptors[first + DESCRIPTION_WORD.SECTOR_COUNT]! * SECTOR_BYTES;
  }

  #memoryOf(tag: number): number {
    return this.#parts.memoryOffset + tag * this.#parts.maxIoBytes;
  }

  #tagEnded(): void {
    this.#endedTagCount += 1;
    if (this.#endedTagCount === this.#parts.channel.depth) this.#onEnded?.();
  }

  #checkReleased(): void {
    if (this.#activeCount === 0) this.#onReleased?.();
  }
}

export interface UblkQueueParts {
  readonly device: ServedDevice;
  readonly channel: UblkChannel;
  /** Room for `depth` times `maxIoBytes`, aligned to pages. */
  readonly memoryOffset: number;
  readonly maxIoBytes: number;
  readonly flushFailures: FlushFailures;
  /** Something waits for the next `poll`. */
  readonly kick: () => void;
}
