import type { BlockStore, CompletionSink, Geometry } from '../ports/block-store.js';
import { Actor } from './actor.js';
import type { BegunIo, Linked } from './begun-io.js';
import type { SimDisk } from './sim-disk.js';

/** A simulated disk as one thread has opened it; the file descriptor, so to say. */
export class DiskFront implements BlockStore {
  readonly geometry: Geometry;
  readonly description: string;
  /** The disk has come back under another name: whoever opened it under the old one gets nothing. */
  isCutOff = false;
  readonly #disk: SimDisk;
  readonly #begun: BegunIo | undefined;
  /** By ticket. */
  readonly #linked = new Map<number, Linked>();
  #sink: CompletionSink;

  constructor(disk: SimDisk, sink: CompletionSink) {
    this.#disk = disk;
    this.#sink = sink;
    this.#begun = sink instanceof Actor ? sink.begun : undefined;
    this.geometry = disk.geometry;
    this.description = disk.description;
  }

  attach(sink: CompletionSink): void {
    this.#sink = sink;
  }

  complete(ticket: number, result: number): void {
    this.#begun?.end(this, ticket);
    const linked = this.#linked.get(ticket);
    if (linked === undefined) return this.#sink.complete(ticket, result);
    this.#linked.delete(ticket);
    linked(result, () => this.#sink.complete(ticket, result));
  }

  /** Of an I/O that is under way. */
  link(ticket: number, linked: Linked): void {
    this.#linked.set(ticket, linked);
  }

  /** As soon as the thread has heard of all that completed before. */
  afterwards(task: () => void): void {
    if (this.#sink instanceof Actor) this.#sink.run(task);
    else task();
  }

  read(ticket: number, offsetBytes: number, lengthBytes: number, memoryOffset: number): void {
    this.#begun?.begin(this, ticket);
    this.#disk.submit(this, 'read', ticket, offsetBytes, lengthBytes, memoryOffset, false);
  }

  write(
    ticket: number,
    offsetBytes: number,
    lengthBytes: number,
    memoryOffset: number,
    durable: boolean,
  ): void {
    this.#begun?.begin(this, ticket);
    this.#disk.submit(this, 'write', ticket, offsetBytes, lengthBytes, memoryOffset, durable);
  }

  flush(ticket: number): void {
    this.#begun?.begin(this, ticket);
    this.#disk.submit(this, 'flush', ticket, 0, 0, 0, false);
  }

  discard(ticket: number, offsetBytes: number, lengthBytes: number): void {
    this.#begun?.begin(this, ticket);
    this.#disk.submit(this, 'discard', ticket, offsetBytes, lengthBytes, 0, false);
  }

  writeZeroes(ticket: number, offsetBytes: number, lengthBytes: number): void {
    this.#begun?.begin(this, ticket);
    this.#disk.submit(this, 'writeZeroes', ticket, offsetBytes, lengthBytes, 0, false);
  }

  allocatedRun(_offsetBytes: number, lengthBytes: number): number {
    return lengthBytes;
  }

  close(): void {
    // The disk lives on; nothing of the process is kept.
  }
}
