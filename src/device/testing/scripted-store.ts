import { assert } from '../../base/assert.js';
import type { BlockStore, CompletionSink, Geometry } from '../../ports/block-store.js';
import type { Scheduler } from '../../ports/scheduler.js';
import { CompletionQueue } from '../../storage/completion-queue.js';

/**
 * Another store whose I/O a test judges one by one, and counts: for faults that begin, move or end when the test says
 * so. What is refused has no effect.
 */
export class ScriptedStore implements BlockStore {
  readonly geometry: Geometry;
  readonly description: string;
  /** Positive errno to refuse with, or 0. */
  judge: (io: JudgedIo) => number = () => 0;
  /** Everything that arrived, refused or not. */
  readonly counts: Record<JudgedIo['kind'], number> = {
    read: 0,
    write: 0,
    flush: 0,
    discard: 0,
    writeZeroes: 0,
  };
  #inner: BlockStore;
  #sink: CompletionSink | undefined;
  readonly #refusals: CompletionQueue;

  constructor(inner: BlockStore, scheduler: Scheduler) {
    this.#inner = inner;
    this.#refusals = new CompletionQueue(scheduler);
    this.geometry = inner.geometry;
    this.description = inner.description;
  }

  attach(sink: CompletionSink): void {
    this.#sink = sink;
    this.#refusals.attach(sink);
    this.#inner.attach(sink);
  }

  /** Works on another store from now on; what is in flight ends where it is. */
  switchTo(inner: BlockStore): void {
    assert(this.#sink !== undefined, 'attached');
    inner.attach(this.#sink);
    this.#inner = inner;
  }

  read(ticket: number, offsetBytes: number, lengthBytes: number, memoryOffset: number): void {
    if (this.#passes(ticket, { kind: 'read', offsetBytes, lengthBytes }))
      this.#inner.read(ticket, offsetBytes, lengthBytes, memoryOffset);
  }

  write(
    ticket: number,
    offsetBytes: number,
    lengthBytes: number,
    memoryOffset: number,
    durable: boolean,
  ): void {
    if (this.#passes(ticket, { kind: 'write', offsetBytes, lengthBytes }))
      this.#inner.write(ticket, offsetBytes, lengthBytes, memoryOffset, durable);
  }

  flush(ticket: number): void {
    if (this.#passes(ticket, { kind: 'flush', offsetBytes: 0, lengthBytes: 0 })) this.#inner.flush(ticket);
  }

  discard(ticket: number, offsetBytes: number, lengthBytes: number): void {
    if (this.#passes(ticket, { kind: 'discard', offsetBytes, lengthBytes }))
      this.#inner.discard(ticket, offsetBytes, lengthBytes);
  }

  writeZeroes(ticket: number, offsetBytes: number, lengthBytes: number, mayUnmap: boolean): void {
    if (this.#passes(ticket, { kind: 'writeZeroes', offsetBytes, lengthBytes }))
      this.#inner.writeZeroes(ticket, offsetBytes, lengthBytes, mayUnmap);
  }

  allocatedRun(offsetBytes: number, lengthBytes: number): number {
    return this.#inner.allocatedRun(offsetBytes, lengthBytes);
  }

  close(): void {
    this.#inner.close();
  }

  #passes(ticket: number, io: JudgedIo): boolean {
    assert(io.offsetBytes + io.lengthBytes <= this.geometry.sizeBytes, 'I/O inside the device');
    this.counts[io.kind] += 1;
    const errno = this.judge(io);
    if (errno !== 0) this.#refusals.push(ticket, -errno);
    return errno === 0;
  }
}

export interface JudgedIo {
  readonly kind: 'read' | 'write' | 'flush' | 'discard' | 'writeZeroes';
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}
