import { assert } from '../../base/assert.js';
import { ERRNO } from '../../base/errno.js';
import { SECTOR_BYTES } from '../../base/units.js';
import { REQUEST_BUFFER_BYTES, requestBufferOffset } from '../../ports/io-memory.js';
import type { RequestSink, ServedDevice } from '../../ports/served-device.js';
import { NEEDS_MEMORY, WriteZeroesFlag } from '../../ports/served-device.js';
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
 *
 * With zero copy a transfer goes straight between the disk and the client's pages. Where the device has to look into
 * the data (`NEEDS_MEMORY`) it is done again by way of the tag's own memory.
 */
export class UblkQueue implements UblkChannelSink, RequestSink {
  readonly #parts: UblkQueueParts;
  /** By slot. */
  readonly #tagOfSlot: Uint16Array;
  /** By tag: the request's data is in memory, or goes through it. */
  readonly #inMemory: Uint8Array;
  /** By tag, `Along`: what is known of an answer that went along with the I/O. */
  readonly #along: Uint8Array;
  /** By tag: what will be answered if it turns out that it was not. */
  readonly #ownResult: Int32Array;
  /** By tag, for flushes: `FlushFailures.told` when this one began. */
  readonly #toldBefore: Int32Array;
  readonly #isDirect: boolean;
  /** Tags that found every slot taken, first come first served. */
  readonly #waiting: number[] = [];
  /** Requests that arrived and are not committed. */
  #activeCount = 0;
  #endedTagCount = 0;
  #isReleasing = false;
  #isAbandoned = false;
  #mayAnswerAlong = true;
  #onReleased: (() => void) | undefined;
  #onEnded: (() => void) | undefined;

  constructor(parts: UblkQueueParts) {
    assert(parts.maxIoBytes <= REQUEST_BUFFER_BYTES, 'a request fits a request buffer');
    this.#parts = parts;
    this.#tagOfSlot = new Uint16Array(parts.device.slotCount);
    this.#inMemory = new Uint8Array(parts.channel.depth);
    this.#along = new Uint8Array(parts.channel.depth);
    this.#ownResult = new Int32Array(parts.channel.depth);
    this.#toldBefore = new Int32Array(parts.channel.depth);
    this.#isDirect = parts.channel.isZeroCopy && parts.device.geometry.takesRequestBuffers;
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

  /**
   * Leaves what is still in hand unanswered, too: the driver gives it out again. For requests that wait for a device
   * which is gone; how they end here, as they must before the device is closed, is told to nobody.
   */
  abandon(): void {
    assert(this.#isReleasing, 'a queue is released first');
    if (this.#activeCount === 0) return;
    this.#isAbandoned = true;
    this.#waiting.length = 0;
    this.#onReleased?.();
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
    if (this.#along[tag] !== Along.none && this.#settledAlong(tag, result)) return;
    if (result === -ERRNO.ENODEV) return this.#tagEnded();
    if (result !== 0) refused(tag, result);
    if (this.#isReleasing) return;
    this.#activeCount += 1;
    const isRegistered = (this.#operationWord(tag) & UblkFlag.needsBuffer) === 0;
    this.#inMemory[tag] = this.#isDirect && isRegistered ? 0 : 1;
    const isWrite = (this.#operationWord(tag) & OPERATION_MASK) === UblkOperation.write;
    if (isWrite && this.#parts.channel.isZeroCopy && this.#inMemory[tag] === 1) this.#fetchData(tag);
    else this.#startSoon(tag);
  }

  completed(slot: number, errno: number): void {
    const tag = this.#tagOfSlot[slot]!;
    const { device } = this.#parts;
    if (this.#isAbandoned) {
      this.#noteGivenAlong(tag, device.hasFailed(slot));
      return;
    }
    const isRead = (this.#operationWord(tag) & OPERATION_MASK) === UblkOperation.read;
    if (errno === NEEDS_MEMORY) {
      if (this.#along[tag] === Along.sent) this.#along[tag] = Along.cancelled;
      this.#inMemory[tag] = 1;
      if (isRead) this.#begin(tag, slot);
      else this.#fetchData(tag);
    } else if (errno === 0 && isRead && this.#parts.channel.isZeroCopy && this.#inMemory[tag] === 1) {
      this.#parts.channel.copyOut(tag, this.#lengthBytes(tag), this.#memoryOf(tag));
    } else if (this.#along[tag] !== Along.none) {
      this.#completedAlong(tag, errno, device.hasFailed(slot));
    } else {
      this.#commit(tag, this.#resultOf(tag, errno));
    }
    if (this.#waiting.length > 0) this.#parts.kick();
  }

  copied(tag: number, result: number): void {
    if (this.#isAbandoned) return;
    const isRead = (this.#operationWord(tag) & OPERATION_MASK) === UblkOperation.read;
    if (result !== this.#lengthBytes(tag)) this.#commit(tag, -ERRNO.EIO);
    else if (isRead) this.#commit(tag, result);
    else this.#startSoon(tag);
  }

  #startSoon(tag: number): void {
    const slot = this.#waiting.length === 0 ? this.#parts.device.acquire(this) : -1;
    if (slot === -1) this.#waiting.push(tag);
    else this.#begin(tag, slot);
  }

  #begin(tag: number, slot: number): void {
    const { device, flushFailures } = this.#parts;
    const word = this.#operationWord(tag);
    this.#tagOfSlot[slot] = tag;
    if ((word & OPERATION_MASK) === UblkOperation.flush) {
      this.#toldBefore[tag] = flushFailures.told;
      return device.flush(slot);
    }
    const lengthBytes = this.#lengthBytes(tag);
    const offsetBytes = this.#offsetBytes(tag);
    const durable = (word & UblkFlag.fua) !== 0 || this.#parts.isNeverFlushed;
    const { queuedTotal } = this.#parts.channel;
    switch (word & OPERATION_MASK) {
      case UblkOperation.read:
        if (device.read(slot, offsetBytes, lengthBytes, this.#dataOf(tag)))
          this.#answerAlong(tag, queuedTotal, lengthBytes);
        return;
      case UblkOperation.write:
        if (device.write(slot, offsetBytes, lengthBytes, this.#dataOf(tag), durable))
          this.#answerAlong(tag, queuedTotal, lengthBytes);
        return;
      case UblkOperation.discard:
        return device.discard(slot, offsetBytes, lengthBytes);
      case UblkOperation.writeZeroes: {
        const unmap = (word & UblkFlag.noUnmap) === 0 ? WriteZeroesFlag.mayUnmap : 0;
        return device.writeZeroes(
          slot,
          offsetBytes,
          lengthBytes,
          unmap | (durable ? WriteZeroesFlag.durable : 0),
        );
      }
      default:
        // An operation that was never offered.
        device.release(slot);
        this.#commit(tag, -ERRNO.EOPNOTSUPP);
    }
  }

  /**
   * With nothing else in hand the answer is sent along with the I/O, for the kernel to give when that has succeeded: the
   * client has it one turn earlier. Not where data has still to be copied.
   */
  #answerAlong(tag: number, queuedBefore: number, lengthBytes: number): void {
    const { channel } = this.#parts;
    if (this.#activeCount !== 1 || !this.#mayAnswerAlong || this.#along[tag] !== Along.none) return;
    if (channel.isZeroCopy && this.#inMemory[tag] === 1) return;
    if (!channel.commitAfter(queuedBefore, tag, lengthBytes, this.#memoryOf(tag))) return;
    this.#along[tag] = Along.sent;
    this.#ownResult[tag] = lengthBytes;
  }

  /**
   * If no I/O failed the client has its answer, and the tag's description may be of its next request already; else the
   * answer that was sent along is about to come back.
   */
  #completedAlong(tag: number, errno: number, hasFailed: boolean): void {
    if (errno !== 0) this.#ownResult[tag] = -errno;
    if (this.#noteGivenAlong(tag, hasFailed)) {
      this.#activeCount -= 1;
      if (this.#isReleasing) this.#checkReleased();
    } else this.#along[tag] = Along.due;
  }

  #noteGivenAlong(tag: number, hasFailed: boolean): boolean {
    const isGiven = !hasFailed && this.#along[tag] === Along.sent;
    if (isGiven) this.#along[tag] = Along.given;
    return isGiven;
  }

  /** Whether that is all that `arrived` says: an answer that went along comes back, not given. */
  #settledAlong(tag: number, result: number): boolean {
    const along = this.#along[tag]!;
    this.#along[tag] = Along.none;
    if (result !== -ERRNO.ECANCELED && result !== -ERRNO.EINVAL) {
      assert(along === Along.given, 'the I/O completes before what waits for it');
      return false;
    }
    if (along === Along.sent || along === Along.cancelled) return true;
    if (along === Along.given) {
      // The I/O succeeded: a kernel that does not do this as it should.
      this.#mayAnswerAlong = false;
      this.#activeCount += 1;
    }
    this.#commit(tag, this.#ownResult[tag]!);
    return true;
  }

  #fetchData(tag: number): void {
    this.#parts.channel.copyIn(tag, this.#lengthBytes(tag), this.#memoryOf(tag));
  }

  #commit(tag: number, result: number): void {
    this.#activeCount -= 1;
    this.#parts.channel.commit(tag, result, this.#memoryOf(tag));
    if (this.#isReleasing) this.#checkReleased();
  }

  /** What the driver wants to hear: bytes of a transfer, else 0, or a negative errno. */
  #resultOf(tag: number, errno: number): number {
    const { device, flushFailures } = this.#parts;
    const operation = this.#operationWord(tag) & OPERATION_MASK;
    // A flush after one that failed, or beside it, may have found nothing left to write.
    if (
      operation === UblkOperation.flush &&
      flushFailures.mustFail(this.#toldBefore[tag]!, device.flushFailureCount)
    )
      return -ERRNO.EIO;
    if (errno !== 0) return -errno;
    return operation > UblkOperation.write ? 0 : this.#lengthBytes(tag);
  }

  #operationWord(tag: number): number {
    return this.#parts.channel.descriptors[tag * DESCRIPTION_WORDS + DESCRIPTION_WORD.OPERATION]!;
  }

  #lengthBytes(tag: number): number {
    const first = tag * DESCRIPTION_WORDS;
    return this.#parts.channel.descriptors[first + DESCRIPTION_WORD.SECTOR_COUNT]! * SECTOR_BYTES;
  }

  #offsetBytes(tag: number): number {
    const { descriptors } = this.#parts.channel;
    const first = tag * DESCRIPTION_WORDS;
    const high = descriptors[first + DESCRIPTION_WORD.START_SECTOR_HIGH]!;
    return (high * 2 ** 32 + descriptors[first + DESCRIPTION_WORD.START_SECTOR_LOW]!) * SECTOR_BYTES;
  }

  /** The tag's own memory. */
  #memoryOf(tag: number): number {
    return this.#parts.memoryOffset + tag * this.#parts.maxIoBytes;
  }

  /** Where the data of the request is. */
  #dataOf(tag: number): number {
    if (this.#inMemory[tag] === 1) return this.#memoryOf(tag);
    return requestBufferOffset(tag);
  }

  #tagEnded(): void {
    this.#endedTagCount += 1;
    if (this.#endedTagCount === this.#parts.channel.depth) this.#onEnded?.();
  }

  #checkReleased(): void {
    if (this.#activeCount === 0) this.#onReleased?.();
  }
}

/** Stages of an answer that went along with the I/O. */
const Along = {
  none: 0,
  /** It waits for the I/O. */
  sent: 1,
  /** The I/O succeeded: the client has it. */
  given: 2,
  /** The I/O failed and the request is completed: our own answer goes out when this one has come back. */
  due: 3,
  /** The I/O failed and is made again. */
  cancelled: 4,
} as const;

/** Text is put together only when it is wanted: it would cost more than the rest of a request. */
function refused(tag: number, result: number): never {
  return assert(false, `the ublk driver refused a command for tag ${tag}: errno ${-result}`) as never;
}

export interface UblkQueueParts {
  readonly device: ServedDevice;
  readonly channel: UblkChannel;
  /** Room for `depth` times `maxIoBytes`, aligned to pages. */
  readonly memoryOffset: number;
  readonly maxIoBytes: number;
  readonly flushFailures: FlushFailures;
  /** The kernel was told that there is no write cache, and sends neither flushes nor FUA: every write is to be durable. */
  readonly isNeverFlushed: boolean;
  /** Something waits for the next `poll`. */
  readonly kick: () => void;
}
