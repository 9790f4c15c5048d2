import { assert } from '../../../base/assert.js';
import { ERRNO } from '../../../base/errno.js';
import { SECTOR_BYTES } from '../../../base/units.js';
import type { IoMemory } from '../../../ports/io-memory.js';
import type { UblkChannel, UblkChannelSink } from '../../../ports/ublk-channel.js';
import type { ArrayDevice } from '../../testing/array-device.js';
import type { TestLoop } from '../../testing/test-loop.js';
import { DESCRIPTION_WORD, DESCRIPTION_WORDS, UblkOperation } from '../request-description.js';

/** The driver's side of a queue, with clients that are calls of the test. Copies data as the real one does. */
export class ArrayChannel implements UblkChannel {
  readonly depth: number;
  readonly isZeroCopy: boolean;
  readonly descriptors: Uint32Array;
  /** Results by tag, in the order of their commits. */
  readonly commits: { readonly tag: number; readonly result: number }[] = [];
  readonly #memory: IoMemory;
  readonly #loop: TestLoop;
  /** Where each tag's data goes, undefined while the tag is the server's. */
  readonly #fetchedAt: (number | undefined)[];
  /** The client's own pages. */
  readonly #data: Uint8Array[];
  /** Commits that wait for an I/O, by its number. */
  readonly #waiting = new Map<number, () => void>();
  readonly #cancelled = new Map<number, () => void>();
  readonly #device: ArrayDevice;
  /** Commits that were to wait for an I/O. */
  alongCount = 0;
  /** Called when the kernel has given an answer that went along, before anybody here knows of it. */
  onGivenAlong: (tag: number) => void = () => {};
  /** What a commit that waited in vain is told. */
  refusal: number = ERRNO.ECANCELED;
  #sink: UblkChannelSink | undefined;

  constructor(memory: IoMemory, loop: TestLoop, depth: number, device: ArrayDevice, isZeroCopy = false) {
    this.#device = device;
    device.onIo = (number, errno) => this.#ioEnded(number, errno);
    this.#memory = memory;
    this.#loop = loop;
    this.depth = depth;
    this.isZeroCopy = isZeroCopy;
    this.descriptors = new Uint32Array(depth * DESCRIPTION_WORDS);
    this.#fetchedAt = new Array(depth).fill(undefined);
    this.#data = Array.from({ length: depth }, () => new Uint8Array(0));
  }

  attach(sink: UblkChannelSink): void {
    this.#sink = sink;
  }

  fetch(tag: number, memoryOffset: number): void {
    assert(this.#fetchedAt[tag] === undefined, 'a tag is fetched once');
    this.#fetchedAt[tag] = memoryOffset;
  }

  commit(tag: number, result: number, memoryOffset: number): void {
    const from = this.#word(tag, DESCRIPTION_WORD.OPERATION) & 0xff;
    if (result > 0 && from === UblkOperation.read && !this.isZeroCopy)
      this.#data[tag] = this.#memory.bytes.slice(memoryOffset, memoryOffset + result);
    this.commits.push({ tag, result });
    this.fetch(tag, memoryOffset);
  }

  get queuedTotal(): number {
    return this.#device.ioCount;
  }

  commitAfter(queuedBefore: number, tag: number, result: number, memoryOffset: number): boolean {
    if (this.#device.ioCount !== queuedBefore + 1) return false;
    this.alongCount += 1;
    this.#waiting.set(queuedBefore, () => {
      this.commit(tag, result, memoryOffset);
      this.onGivenAlong(tag);
    });
    this.#cancelled.set(queuedBefore, () => this.#sink!.arrived(tag, -this.refusal));
    return true;
  }

  #ioEnded(number: number, errno: number): void {
    const commit = this.#waiting.get(number);
    if (commit === undefined) return;
    this.#waiting.delete(number);
    if (errno === 0 && this.refusal === ERRNO.ECANCELED) commit();
    else this.#loop.after(0, this.#cancelled.get(number)!);
  }

  copyIn(tag: number, lengthBytes: number, memoryOffset: number): void {
    this.#memory.bytes.set(this.#data[tag]!.subarray(0, lengthBytes), memoryOffset);
    this.#loop.after(0, () => this.#sink!.copied(tag, lengthBytes));
  }

  copyOut(tag: number, lengthBytes: number, memoryOffset: number): void {
    this.#data[tag] = this.#memory.bytes.slice(memoryOffset, memoryOffset + lengthBytes);
    this.#loop.after(0, () => this.#sink!.copied(tag, lengthBytes));
  }

  /** A client's request; what it reads is in `dataOf` after its commit. */
  request(
    tag: number,
    operation: number,
    startSector: number,
    sectorCount: number,
    data = new Uint8Array(0),
  ) {
    const memoryOffset = this.#fetchedAt[tag];
    assert(memoryOffset !== undefined, 'the driver gives out fetched tags only');
    this.#fetchedAt[tag] = undefined;
    const first = tag * DESCRIPTION_WORDS;
    this.descriptors[first + DESCRIPTION_WORD.OPERATION] = operation;
    this.descriptors[first + DESCRIPTION_WORD.SECTOR_COUNT] = sectorCount;
    this.descriptors[first + DESCRIPTION_WORD.START_SECTOR_LOW] = startSector;
    this.descriptors[first + DESCRIPTION_WORD.START_SECTOR_HIGH] = Math.floor(startSector / 2 ** 32);
    assert(data.length === 0 || data.length === sectorCount * SECTOR_BYTES, 'data fits the request');
    this.#data[tag] = data;
    if (!this.isZeroCopy) this.#memory.bytes.set(data, memoryOffset);
    this.#loop.after(0, () => this.#sink!.arrived(tag, 0));
  }

  /** The device is stopped: every tag that the driver has comes back. */
  stop(): void {
    for (const [tag, memoryOffset] of this.#fetchedAt.entries())
      if (memoryOffset !== undefined) this.#loop.after(0, () => this.#sink!.arrived(tag, -ERRNO.ENODEV));
  }

  dataOf(tag: number): Uint8Array {
    return this.#data[tag]!;
  }

  #word(tag: number, word: number): number {
    return this.descriptors[tag * DESCRIPTION_WORDS + word]!;
  }
}
