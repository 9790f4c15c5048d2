import type { DiskFront } from './disk-front.js';
import type { ClockEvent } from './sim-clock.js';
import type { SimDisk } from './sim-disk.js';

export type IoKind = 'read' | 'write' | 'flush' | 'discard' | 'writeZeroes';

/** One I/O on its way; used again when it is over. */
export class SimIo implements ClockEvent {
  atUs = 0;
  order = 0;
  readonly disk: SimDisk;
  front: DiskFront | undefined;
  kind: IoKind = 'read';
  ticket = 0;
  offsetBytes = 0;
  lengthBytes = 0;
  memoryOffset = 0;
  durable = false;
  /** The contents are on the disk, or in its cache. */
  isApplied = false;
  /** Of all I/Os of the disk. */
  serial = 0;
  /** In the disk's list of what is in flight. */
  place = 0;

  constructor(disk: SimDisk) {
    this.disk = disk;
  }

  fire(): void {
    this.disk.finish(this);
  }

  get changesContents(): boolean {
    return this.kind === 'write' || this.kind === 'writeZeroes' || this.kind === 'discard';
  }
}
