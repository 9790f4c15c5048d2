import { assert } from '../base/assert.js';
import type { BlockStore, CompletionSink, Geometry } from '../ports/block-store.js';
import type { IoMemory } from '../ports/io-memory.js';
import { close } from './ffi.js';
import { FileExtents } from './file-extents.js';
import { InFlightTable, Operation } from './in-flight-table.js';
import type { OpenDevice } from './open-device.js';

/**
 * What the stores over a file descriptor share: each notes an operation under its ticket and has `start` carry it
 * out, in its own way, until `InFlightTable.settle` says that it is over. Owns the device's descriptor unless it is borrowed.
 */
export abstract class DescriptorStore implements BlockStore {
  readonly geometry: Geometry;
  readonly description: string;
  protected readonly device: OpenDevice;
  protected readonly table: InFlightTable;
  readonly #extents: FileExtents;
  #sink: CompletionSink | null = null;

  constructor(device: OpenDevice, memory: IoMemory, ticketCount: number, takesRequestBuffers = false) {
    this.geometry = device.geometry;
    this.description = device.description;
    this.device = device;
    this.table = new InFlightTable(device.geometry, memory, ticketCount, takesRequestBuffers);
    this.#extents = new FileExtents(device);
  }

  /** Carries out what the table says of this ticket, from where it stands; never completes it inside the call. */
  protected abstract start(ticket: number): void;

  attach(sink: CompletionSink): void {
    assert(this.#sink === null, 'attached twice');
    this.#sink = sink;
  }

  read(ticket: number, offsetBytes: number, lengthBytes: number, memoryOffset: number): void {
    this.table.beginTransfer(ticket, Operation.read, offsetBytes, lengthBytes, memoryOffset);
    this.start(ticket);
  }

  write(
    ticket: number,
    offsetBytes: number,
    lengthBytes: number,
    memoryOffset: number,
    durable: boolean,
  ): void {
    const operation = durable ? Operation.durableWrite : Operation.write;
    this.table.beginTransfer(ticket, operation, offsetBytes, lengthBytes, memoryOffset);
    this.start(ticket);
  }

  flush(ticket: number): void {
    this.table.beginWhole(ticket, Operation.flush);
    this.start(ticket);
  }

  discard(ticket: number, offsetBytes: number, lengthBytes: number): void {
    this.table.beginRange(ticket, Operation.discard, offsetBytes, lengthBytes);
    this.start(ticket);
  }

  writeZeroes(ticket: number, offsetBytes: number, lengthBytes: number, mayUnmap: boolean): void {
    this.table.beginRange(ticket, mayUnmap ? Operation.punch : Operation.zero, offsetBytes, lengthBytes);
    this.start(ticket);
  }

  allocatedRun(offsetBytes: number, lengthBytes: number): number {
    return this.#extents.allocatedRun(offsetBytes, lengthBytes);
  }

  close(): void {
    assert(this.table.activeCount === 0, 'closed with I/O in flight');
    if (this.device.isBorrowed !== true) close(this.device.fd);
  }

  /** The ticket is free again when the sink hears of it. */
  protected finish(ticket: number, result: number): void {
    this.table.release(ticket);
    this.#sink!.complete(ticket, result);
  }
}
