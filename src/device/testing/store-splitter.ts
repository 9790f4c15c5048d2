import type { BlockStore, CompletionSink } from '../../ports/block-store.js';
import type { Scheduler } from '../../ports/scheduler.js';

/**
 * One disk for several threads: each gets a front of its own, with its own tickets and sink. With `late`, an I/O
 * reaches the disk some time after it was submitted, and its completion the sink some time after that, in whatever
 * order the scheduler runs what is due.
 */
export class StoreSplitter implements CompletionSink {
  readonly #disk: BlockStore;
  readonly #scheduler: Scheduler;
  readonly #late: boolean;
  readonly #origins = new Map<number, { readonly sink: CompletionSink; readonly ticket: number }>();
  #nextTicket = 0;

  constructor(disk: BlockStore, scheduler: Scheduler, late: boolean) {
    this.#disk = disk;
    this.#scheduler = scheduler;
    this.#late = late;
    disk.attach(this);
  }

  /** Completions go to `sink`. */
  front(sink: CompletionSink): BlockStore {
    const disk = this.#disk;
    const send = (ticket: number, submit: (diskTicket: number) => void): void => {
      const diskTicket = this.#nextTicket++;
      this.#origins.set(diskTicket, { sink, ticket });
      if (this.#late) this.#scheduler.after(0, () => submit(diskTicket));
      else submit(diskTicket);
    };
    return {
      geometry: disk.geometry,
      description: disk.description,
      attach: () => {},
      read: (ticket, offset, length, memory) => send(ticket, (t) => disk.read(t, offset, length, memory)),
      write: (ticket, offset, length, memory, durable) =>
        send(ticket, (t) => disk.write(t, offset, length, memory, durable)),
      flush: (ticket) => send(ticket, (t) => disk.flush(t)),
      discard: (ticket, offset, length) => send(ticket, (t) => disk.discard(t, offset, length)),
      writeZeroes: (ticket, offset, length, mayUnmap) =>
        send(ticket, (t) => disk.writeZeroes(t, offset, length, mayUnmap)),
      allocatedRun: (offset, length) => disk.allocatedRun(offset, length),
      close: () => {},
    };
  }

  complete(diskTicket: number, result: number): void {
    const { sink, ticket } = this.#origins.get(diskTicket)!;
    this.#origins.delete(diskTicket);
    if (this.#late) this.#scheduler.after(0, () => sink.complete(ticket, result));
    else sink.complete(ticket, result);
  }
}
