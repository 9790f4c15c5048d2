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
  readonly #inFlight = new Map<number, InFlight>();

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
      const quiet = [...this.#stable.keys()].filter((sector) => !this.#isBeingWritten(sector));
      this.#inFlight.set(ticket, { firstSector: 0, endSector: 0, settles: this.#snapshot(quiet) });
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
  dropCache(survives: () => boolean): void {
    for (const [sector, bytes] of this.#stable) {
      if (!survives()) this.#disk.contents.set(bytes, sector * SECTOR_BYTES);
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
      write.settles = this.#snapshot(sectorsOf(write));
    }
    this.#power.noteWrite();
  }

  #keepOld(ticket: number, offsetBytes: number, lengthBytes: number): void {
    const firstSector = offsetBytes / SECTOR_BYTES;
    const range = { firstSector, endSector: firstSector + lengthBytes / SECTOR_BYTES, settles: NOTHING };
    for (const sector of sectorsOf(range)) {
      if (!this.#stable.has(sector)) this.#stable.set(sector, this.#contentsOf(sector).slice());
    }
    assert(!this.#inFlight.has(ticket), `ticket ${ticket} is free`);
    this.#inFlight.set(ticket, range);
  }

  /** What a flush or a durable write covered is on stable storage now. */
  #settle(ticket: number): void {
    const done = this.#inFlight.get(ticket);
    this.#inFlight.delete(ticket);
    if (done === undefined || !this.#power.isOn) return;
    for (const [sector, bytes] of done.settles) {
      if (Buffer.compare(bytes, this.#contentsOf(sector)) === 0) this.#stable.delete(sector);
      else this.#stable.set(sector, bytes);
    }
  }

  #isBeingWritten(sector: number): boolean {
    for (const write of this.#inFlight.values()) {
      if (sector >= write.firstSector && sector < write.endSector) return true;
    }
    return false;
  }

  #snapshot(sectors: readonly number[]): ReadonlyMap<number, Uint8Array> {
    return new Map(sectors.map((sector) => [sector, this.#contentsOf(sector).slice()]));
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
    this.#writesLeft = Number.POSITIVE_INFINITY;
    this.#whenCut();
  }

  restore(): void {
    this.isOn = true;
    this.#whenCut = () => {};
  }

  noteWrite(): void {
    this.#writesLeft -= 1;
    if (this.#writesLeft === 0) this.cut();
  }
}

interface InFlight {
  readonly firstSector: number;
  readonly endSector: number;
  /** What is on stable storage when it is done. */
  settles: ReadonlyMap<number, Uint8Array>;
}

const NOTHING: ReadonlyMap<number, Uint8Array> = new Map();

function sectorsOf({ firstSector, endSector }: Pick<InFlight, 'firstSector' | 'endSector'>): number[] {
  return Array.from({ length: endSector - firstSector }, (_, index) => firstSector + index);
}
