import { assert } from '../../base/assert.js';
import { ERRNO } from '../../base/errno.js';
import { SECTOR_BYTES } from '../../base/units.js';
import type { BlockStore, CompletionSink, Geometry } from '../../ports/block-store.js';
import type { MemoryStore } from '../../storage/memory-store.js';

/**
 * A memory disk of which a process, or the power, can be taken away between any two writes. With a volatile cache it
 * remembers for each sector what is on stable storage, and a power cut may bring that back.
 */
export class CrashableStore implements BlockStore {
  readonly geometry: Geometry;
  readonly description: string;
  readonly #disk: MemoryStore;
  readonly #power: Power;
  readonly #hasVolatileCache: boolean;
  /** Sectors whose contents are not those on stable storage, by number; the latter are kept here. */
  readonly #stable = new Map<number, Uint8Array>();
  /** By ticket, in order of arrival. */
  readonly #inFlight = new Map<number, InFlight>();
  /** By sector: when the snapshot was taken that was made stable last. */
  readonly #settledAt = new Map<number, number>();
  #time = 0;

  constructor(disk: MemoryStore, power: Power, hasVolatileCache: boolean) {
    this.#disk = disk;
    this.#power = power;
    this.#hasVolatileCache = hasVolatileCache;
    this.geometry = disk.geometry;
    this.description = disk.description;
  }

  attach(sink: CompletionSink): void {
    this.#disk.attach({
      complete: (ticket, result) => {
        this.#settle(ticket);
        sink.complete(ticket, this.#power.isOn ? result : -ERRNO.EIO);
      },
    });
  }

  read(ticket: number, offsetBytes: number, lengthBytes: number, memoryOffset: number): void {
    this.#disk.read(ticket, offsetBytes, lengthBytes, memoryOffset);
  }

  write(
    ticket: number,
    offsetBytes: number,
    lengthBytes: number,
    memoryOffset: number,
    durable: boolean,
  ): void {
    this.#change(ticket, offsetBytes, lengthBytes, durable, () =>
      this.#disk.write(ticket, offsetBytes, lengthBytes, memoryOffset, durable),
    );
  }

  flush(ticket: number): void {
    if (this.#hasVolatileCache && this.#power.isOn) {
      this.#time += 1;
      const settles = new Map([...this.#stable.keys()].map((sector) => [sector, this.#completed(sector)]));
      this.#inFlight.set(ticket, { before: NOTHING, settles, startedAt: this.#time });
    }
    this.#disk.flush(ticket);
  }

  discard(ticket: number, offsetBytes: number, lengthBytes: number): void {
    this.#change(ticket, offsetBytes, lengthBytes, false, () =>
      this.#disk.discard(ticket, offsetBytes, lengthBytes),
    );
  }

  writeZeroes(ticket: number, offsetBytes: number, lengthBytes: number, mayUnmap: boolean): void {
    this.#change(ticket, offsetBytes, lengthBytes, false, () =>
      this.#disk.writeZeroes(ticket, offsetBytes, lengthBytes, mayUnmap),
    );
  }

  allocatedRun(offsetBytes: number, lengthBytes: number): number {
    return this.#disk.allocatedRun(offsetBytes, lengthBytes);
  }

  close(): void {
    this.#disk.close();
  }

  /** The power is gone: each sector that no flush has covered is as `survives` says the new or the old. */
  dropCache(survives: (sector: number) => boolean): void {
    for (const [sector, bytes] of this.#stable) {
      if (!survives(sector)) this.#disk.contents.set(bytes, sector * SECTOR_BYTES);
    }
    this.#stable.clear();
    this.#inFlight.clear();
  }

  #change(ticket: number, offsetBytes: number, lengthBytes: number, durable: boolean, act: () => void): void {
    if (!this.#power.isOn) return this.#disk.flush(ticket);
    if (this.#hasVolatileCache) this.#keepOld(ticket, offsetBytes, lengthBytes);
    act();
    if (durable && this.#hasVolatileCache) {
      const write = this.#inFlight.get(ticket)!;
      write.settles = new Map([...write.before.keys()].map((sector) => [sector, this.#snapshot(sector)]));
    }
    this.#power.noteWrite();
  }

  #keepOld(ticket: number, offsetBytes: number, lengthBytes: number): void {
    assert(!this.#inFlight.has(ticket), `ticket ${ticket} is free`);
    const before = new Map<number, Uint8Array>();
    for (let at = offsetBytes; at < offsetBytes + lengthBytes; at += SECTOR_BYTES) {
      const sector = at / SECTOR_BYTES;
      before.set(sector, this.#contentsOf(sector).slice());
      if (!this.#stable.has(sector)) this.#stable.set(sector, before.get(sector)!);
    }
    this.#time += 1;
    this.#inFlight.set(ticket, { before, settles: NOTHING, startedAt: this.#time });
  }

  /** What a flush or a durable write covered is on stable storage now, unless something newer is there already. */
  #settle(ticket: number): void {
    const done = this.#inFlight.get(ticket);
    this.#inFlight.delete(ticket);
    if (done === undefined || !this.#power.isOn) return;
    for (const [sector, { bytes, takenAt }] of done.settles) {
      if ((this.#settledAt.get(sector) ?? 0) > takenAt) continue;
      this.#settledAt.set(sector, takenAt);
      if (Buffer.compare(bytes, this.#contentsOf(sector)) === 0) this.#stable.delete(sector);
      else this.#stable.set(sector, bytes);
    }
  }

  /** A sector without the writes to it that are still in flight: as it was before the first of these. */
  #completed(sector: number): Snapshot {
    for (const { before, startedAt } of this.#inFlight.values()) {
      const bytes = before.get(sector);
      if (bytes !== undefined) return { bytes, takenAt: startedAt - 0.5 };
    }
    return this.#snapshot(sector);
  }

  #snapshot(sector: number): Snapshot {
    return { bytes: this.#contentsOf(sector).slice(), takenAt: this.#time };
  }

  #contentsOf(sector: number): Uint8Array {
    return this.#disk.contents.subarray(sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES);
  }
}

/** What all disks of one machine have in common. */
export class Power {
  isOn = true;
  #writesLeft = Number.POSITIVE_INFINITY;
  #whenCut: () => void = () => {};

  /** After so many more writes (or zeroes, or discards) nothing happens any more, and nobody is told of anything. */
  cutAfterWrites(count: number, whenCut: () => void): void {
    this.#writesLeft = count;
    this.#whenCut = whenCut;
  }

  cut(): void {
    this.isOn = false;
    this.#whenCut();
  }

  restore(): void {
    this.isOn = true;
    this.#writesLeft = Number.POSITIVE_INFINITY;
    this.#whenCut = () => {};
  }

  noteWrite(): void {
    this.#writesLeft -= 1;
    if (this.#writesLeft === 0) this.cut();
  }
}

interface InFlight {
  /** Contents of the sectors that it overwrites. */
  readonly before: ReadonlyMap<number, Uint8Array>;
  /** What is on stable storage when it is done. */
  settles: ReadonlyMap<number, Snapshot>;
  readonly startedAt: number;
}

interface Snapshot {
  readonly bytes: Uint8Array;
  readonly takenAt: number;
}

const NOTHING: ReadonlyMap<number, never> = new Map<number, never>();
