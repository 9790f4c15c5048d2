import type { BlockModel } from './block-model.js';
import { blockNumberAt, versionAt } from './block-pattern.js';
import type { Excuses } from './excuses.js';
import type { SimClock } from './sim-clock.js';
import type { DiskWatcher, SimDisk } from './sim-disk.js';
import type { SimIo } from './sim-io.js';
import type { Statistics } from './statistics.js';

/**
 * Keeps account of what really happens to the bytes on the disks, so that the model knows which contents may be gone
 * and which units have a reason to be moved. Sees only what blocks hold, never the map.
 */
export class Ledger implements DiskWatcher {
  /** Units of the main device where an I/O failed because of a block. */
  readonly #failedUnits = new Set<number>();
  /** Blocks of spares that were ever written; target and block in one number. */
  readonly #writtenOnSpares = new Set<number>();
  /** Places of spares whose metadata may not be what was written there, in this life of the process. */
  #metadataTrouble: MetadataTrouble[] = [];
  #wasScrubbed = false;
  /** The main device has forgotten writes in this life: what it is recognised by may have changed. */
  mainHasReverted = false;
  readonly #parts: LedgerParts;
  /** Blocks of spares that can't be written. */
  unwritableOnSpares = 0;

  constructor(parts: LedgerParts) {
    this.#parts = parts;
  }

  answered(io: SimIo, result: number): void {
    this.#parts.statistics.diskIos += 1;
    this.#parts.log?.(describeIo(io, result));
    const { kind, offsetBytes, disk } = io;
    if (disk.target === 0) return;
    if (kind === 'write') this.#noteWrittenOnSpare(io);
    const isGone = disk.isGone || io.front!.isCutOff;
    if (result < 0 && kind !== 'read')
      this.noteMetadataTrouble(disk.target, kind === 'flush' ? -1 : offsetBytes, isGone);
  }

  blockFailed(disk: SimDisk, block: number): void {
    if (disk.target !== 0) return;
    this.#failedUnits.add(Math.floor((block * this.#parts.blockBytes) / this.#parts.unitBytes));
  }

  damaging(disk: SimDisk, block: number): void {
    this.#noteDamage(disk, block, disk.view, block * this.#parts.blockBytes);
    const stable = disk.stableViewOf(block);
    if (stable !== undefined) this.#noteDamage(disk, block, stable, 0);
  }

  /** Every copy of the metadata is looked at, and what is wrong with it is written anew. */
  newLife(): void {
    this.#wasScrubbed = false;
    this.#metadataTrouble = [];
    this.mainHasReverted = false;
  }

  /** The copy here, -1: all copies on this spare, need not have the newest of everything. */
  noteMetadataTrouble(target: number, offsetBytes: number, wasGone: boolean): void {
    this.#metadataTrouble.push({ target, offsetBytes, wasGone });
  }

  /** What a scrub could not write to a spare that vanished is left to the next scrub or start. */
  noteScrub(): void {
    this.#wasScrubbed = true;
  }

  /** A spare is back, and what it had missed is written to it. */
  forgetMissed(target: number): void {
    if (this.#wasScrubbed) return;
    this.#metadataTrouble = this.#metadataTrouble.filter(
      (trouble) => trouble.target !== target || !trouble.wasGone,
    );
  }

  get metadataTrouble(): readonly MetadataTrouble[] {
    return this.#metadataTrouble;
  }

  reverting(disk: SimDisk, block: number): void {
    if (disk.target === 0) this.mainHasReverted = true;
    const { blockBytes, model } = this.#parts;
    const stable = disk.stableViewOf(block)!;
    const at = block * blockBytes;
    const held = blockNumberAt(disk.view, at, blockBytes);
    const logical = held !== -1 ? held : blockNumberAt(stable, 0, blockBytes);
    const known = logical !== -1 ? logical : disk.target === 0 ? block : -1;
    if (known === -1 || known >= model.blockCount) return;
    const from = versionAt(disk.view, at, blockBytes, known);
    model.noteReverted(known, from, versionAt(stable, 0, blockBytes, known));
  }

  flushFailed(_disk: SimDisk): void {
    this.#parts.excuses.noteFlushFailed(this.#parts.clock.nowUs);
  }

  /** Something was wrong with a block of this unit; that the device was gone is no reason. */
  hasReasonToMove(unit: number): boolean {
    return this.#failedUnits.has(unit);
  }

  #noteWrittenOnSpare({ disk, offsetBytes, lengthBytes }: SimIo): void {
    const { blockBytes } = this.#parts;
    for (let at = offsetBytes; at < offsetBytes + lengthBytes; at += blockBytes) {
      this.#writtenOnSpares.add(disk.target * 2 ** 32 + at / blockBytes);
    }
  }

  /** A zeroed block does not say which one it is: on a spare it may be any that is zero now. */
  #noteDamage(disk: SimDisk, place: number, view: DataView, at: number): void {
    const { blockBytes, model } = this.#parts;
    const held = blockNumberAt(view, at, blockBytes);
    const block = held === -1 && disk.target === 0 ? place : held;
    if (block !== -1 && block < model.blockCount)
      return model.noteDamage(block, versionAt(view, at, blockBytes, block));
    if (this.#writtenOnSpares.has(disk.target * 2 ** 32 + place)) model.noteZeroDamage();
  }
}

export interface MetadataTrouble {
  readonly target: number;
  /** -1: anywhere. */
  readonly offsetBytes: number;
  /** Because the spare was gone. */
  readonly wasGone: boolean;
}

export interface LedgerParts {
  readonly blockBytes: number;
  readonly unitBytes: number;
  readonly model: BlockModel;
  readonly clock: SimClock;
  readonly excuses: Excuses;
  readonly statistics: Statistics;
  readonly log: ((line: string) => void) | undefined;
}

function describeIo(io: SimIo, result: number): string {
  const { disk, kind, offsetBytes, lengthBytes, durable } = io;
  const where = kind === 'flush' ? '' : ` ${offsetBytes}+${lengthBytes}`;
  return `  ${disk.description}: ${kind}${durable ? ' fua' : ''}${where} -> ${result}`;
}
