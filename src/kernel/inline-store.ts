import { assert } from '../base/assert.js';
import type { IoMemory } from '../ports/io-memory.js';
import { DescriptorStore } from './descriptor-store.js';
import { fallocateNow } from './fallocate-mode.js';
import { fdatasync, pread, pwrite } from './ffi.js';
import { AGAIN, Operation, SYSCALL_TRANSFER_BYTES_MAX } from './in-flight-table.js';
import type { OpenDevice } from './open-device.js';
import type { Poller, Reactor } from './reactor-interface.js';

/**
 * A file in memory (`isMemoryFile`), where an I/O is one copy: done at once on the calling thread and completed by
 * the reactor's next round of pollers. io_uring would send it to a kernel thread.
 */
export class InlineStore extends DescriptorStore implements Poller {
  readonly #memoryAddress: number;
  readonly #reactor: Reactor;
  /** Finished and not yet reported: a ring of `ticketCount` places, which is all that can be in flight. */
  readonly #finishedTicket: Int32Array;
  readonly #finishedResult: Float64Array;
  #finishedHead = 0;
  #finishedCount = 0;

  constructor(device: OpenDevice, memory: IoMemory, reactor: Reactor, ticketCount: number) {
    super(device, memory, ticketCount);
    assert(device.kind === 'file', 'only files are read inline');
    assert(memory.address > 0, 'needs memory that the kernel can reach');
    this.#memoryAddress = memory.address;
    this.#reactor = reactor;
    this.#finishedTicket = new Int32Array(ticketCount);
    this.#finishedResult = new Float64Array(ticketCount);
    reactor.addPoller(this);
  }

  override close(): void {
    this.#reactor.removePoller(this);
    super.close();
  }

  /**
   * For the reactor. Reports what had finished when it was called; a sink that submits more inside `complete`
   * gets the answer in the next round, so one round always ends.
   */
  poll(): boolean {
    for (let remaining = this.#finishedCount; remaining > 0; remaining--) {
      const place = this.#finishedHead;
      this.#finishedHead = place + 1 === this.#finishedTicket.length ? 0 : place + 1;
      this.#finishedCount -= 1;
      const ticket = this.#finishedTicket[place]!;
      this.finish(ticket, this.#finishedResult[place]!);
    }
    return this.#finishedCount > 0;
  }

  protected start(ticket: number): void {
    let settled = AGAIN;
    while (settled === AGAIN) settled = this.table.settle(ticket, this.#attempt(ticket));
    this.#report(ticket, settled);
  }

  /** One system call for this ticket, from where it stands. */
  #attempt(ticket: number): number {
    const operation = this.table.operation[ticket]!;
    if (operation <= Operation.durableWrite) return this.#transfer(ticket, operation);
    return operation === Operation.flush
      ? fdatasync(this.device.fd)
      : fallocateNow(this.device.fd, this.table, ticket);
  }

  #transfer(ticket: number, operation: number): number {
    const table = this.table;
    const doneBytes = table.doneBytes[ticket]!;
    const lengthBytes = Math.min(table.lengthBytes[ticket]! - doneBytes, SYSCALL_TRANSFER_BYTES_MAX);
    const address = this.#memoryAddress + table.memoryOffset[ticket]! + doneBytes;
    const offsetBytes = table.offsetBytes[ticket]! + doneBytes;
    const fd = this.device.fd;
    if (operation === Operation.read) return pread(fd, address, lengthBytes, offsetBytes);
    const written = pwrite(fd, address, lengthBytes, offsetBytes);
    if (written < 0 || operation === Operation.write) return written;
    const synced = fdatasync(fd);
    return synced < 0 ? synced : written;
  }

  /** In the next round. */
  #report(ticket: number, result: number): void {
    const capacity = this.#finishedTicket.length;
    const next = this.#finishedHead + this.#finishedCount;
    const place = next >= capacity ? next - capacity : next;
    this.#finishedTicket[place] = ticket;
    this.#finishedResult[place] = result;
    this.#finishedCount += 1;
    if (this.#finishedCount === 1) this.#reactor.kick();
  }
}
