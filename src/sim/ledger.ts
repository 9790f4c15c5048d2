import type { BlockModel } from './block-model.js';
import { blockNumberAt, versionAt } from './block-pattern.js';
import type { Excuses } from './excuses.js';
import type { SimClock } from './sim-clock.js';
import type { SimDisk } from './sim-disk.js';
import type { DiskWatcher } from './sim-disk-options.js';
import type { SimIo } from './sim-io.js';
import type { Statistics } from './statistics.js';
import { TwiceAway } from './twice-away.js';

/**
 * Keeps account of what really happens to the bytes on the disks, so that the model knows which contents may be gone
 * and which units have a reason to be moved. Sees only what blocks hold, never the map.
 */
export class Ledger implements DiskWatcher {
  /** Units of the main device where an I/O failed because of a block, or that somebody wants moved. */
  readonly #failedUnits = new Set<number>();
  /** Blocks of spares where an I/O failed; disk and block in one number. */
  readonly #failedOnSpares = new Set<number>();
  /** A commit has failed, or somebody has said so: any place may have been retired. */
  #mayRetireAny = false;
  /** Places of spares that units were to be moved away from, to another place. */
  readonly #shiftedFrom = new Set<number>();
  /** Blocks of spares that were ever written; disk and block in one number. */
  readonly #writtenOnSpares = new Set<number>();
  /** Places of spares whose metadata may not be what was written there, in this life of the process. */
  #metadataTrouble: MetadataTrouble[] = [];
  readonly #twiceAway = new TwiceAway();
  /** By target: when an I/O of a spare failed last because it was gone. */
  readonly #awayAtUs: number[] = [];
  #wasScrubbed = false;
  /** Writes to spares and flushes of them that failed in this life: what they were to make durable may be there or not. */
  #failedOnSpare: Omit<MetadataTrouble, 'wasGone'>[] = [];
  /** The main device has forgotten writes in this life: what it is recognised by may have changed. */
  mainHasReverted = false;
  readonly #parts: LedgerParts;
  /** Blocks of spares that can't be written. */
  unwritableOnSpares = 0;
  /** I/Os that were answered with an error, so far. */
  failedIoCount = 0;
  /** Those of the disk that is to be the main device, or was it, which count there only. */
  bystanderFailureCount = 0;
  /** Writes to the main device that were answered, so far. */
  mainWriteCount = 0;
  /** Blocks of any disk that were made to go bad, so far. */
  badBlockCount = 0;

  constructor(parts: LedgerParts) {
    this.#parts = parts;
  }

  answered(io: SimIo, result: number): void {
    this.#parts.statistics.diskIos += 1;
    this.#parts.log?.(describeIo(io, result));
    const { kind, offsetBytes, disk } = io;
    if (disk.isBystander) {
      if (result < 0) this.bystanderFailureCount += 1;
      return;
    }
    if (result < 0) this.failedIoCount += 1;
    if (result < 0 && kind !== 'flush' && io.changesContents && disk.isGone) this.#noteAway(io);
    if (disk.target === 0) {
      if (io.changesContents) this.mainWriteCount += 1;
      if (io.changesContents && result < 0 && disk.isReadable) this.#noteRefused(io);
      return;
    }
    if (kind === 'write') this.#noteWrittenOnSpare(io);
    const isGone = disk.isGone || io.front!.isCutOff;
    if (result < 0 && isGone) this.#awayAtUs[disk.target] = this.#parts.clock.nowUs;
    if (result >= 0 || kind === 'read') return;
    const failed = { target: disk.target, offsetBytes: kind === 'flush' ? -1 : offsetBytes };
    this.#failedOnSpare.push(failed);
    this.#metadataTrouble.push({ ...failed, wasGone: isGone });
  }

  /** An I/O of this spare has failed a moment ago because it was gone. */
  wasJustAway(target: number): boolean {
    const atUs = this.#awayAtUs[target];
    return atUs !== undefined && this.#parts.clock.nowUs - atUs < MOMENT_US;
  }

  blockFailed(disk: SimDisk, block: number): void {
    if (disk.isBystander) return;
    if (disk.target !== 0) {
      this.#failedOnSpares.add(disk.id * 2 ** 32 + block);
      return;
    }
    this.#failedUnits.add(Math.floor((block * this.#parts.blockBytes) / this.#parts.unitBytes));
  }

  damaging(disk: SimDisk, block: number): void {
    if (disk.isBystander) return;
    this.#noteDamage(disk, block, disk.view, block * this.#parts.blockBytes);
    const stable = disk.stableViewOf(block);
    if (stable !== undefined) this.#noteDamage(disk, block, stable, 0);
  }

  /** Every copy of the metadata is looked at, and what is wrong with it is written anew. */
  newLife(): void {
    this.#wasScrubbed = false;
    this.#metadataTrouble = [];
    this.#failedOnSpare = [];
    this.mainHasReverted = false;
  }

  /** In this life a commit may have failed: `isMetadata` tells what lies where. */
  mayHaveFailedToCommit(isMetadata: (target: number, offsetBytes: number) => boolean): boolean {
    return this.#failedOnSpare.some(
      ({ target, offsetBytes }) => offsetBytes === -1 || isMetadata(target, offsetBytes),
    );
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

  revertingLate(disk: SimDisk): void {
    if (!disk.isBystander && disk.target === 0) this.mainHasReverted = true;
  }

  reverting(disk: SimDisk, block: number, later = false): void {
    if (disk.isBystander) return;
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
    if (later) model.noteFading(known);
  }

  flushFailed(disk: SimDisk): void {
    if (disk.isBystander) return;
    this.excuseRetired();
    this.#parts.excuses.noteFlushFailed(this.#parts.clock.nowUs);
  }

  /** What was sent between the failure and this may have to fail, too. */
  flushFailureHeard(): void {
    this.#parts.excuses.noteFlushFailureHeard(this.#parts.clock.nowUs);
  }

  /** Something was wrong with a block of this unit; that the device was gone is no reason. */
  hasReasonToMove(unit: number): boolean {
    return this.#failedUnits.has(unit);
  }

  /** A commit may have failed, and the disks say more than the process went by. */
  get hadDoubtfulCommit(): boolean {
    return this.#mayRetireAny;
  }

  /** From now on nobody can tell why a place is retired. */
  excuseRetired(): void {
    this.#mayRetireAny = true;
  }

  /** A unit is being moved to another place; cut off behind the new one, a start retires this one. */
  noteShiftFrom(disk: SimDisk, offsetBytes: number): void {
    this.#shiftedFrom.add(this.#placeKey(disk, offsetBytes));
  }

  /** Something was wrong with a block of this place of a spare, or what lived there was to move. */
  hasReasonToRetire(disk: SimDisk, offsetBytes: number): boolean {
    return this.#mayRetireAny || this.hasFailedOrShifted(disk, offsetBytes);
  }

  hasFailedOrShifted(disk: SimDisk, offsetBytes: number): boolean {
    return this.#shiftedFrom.has(this.#placeKey(disk, offsetBytes)) || this.hasFailedAt(disk, offsetBytes);
  }

  /** A block of this place of a spare has failed at any time. */
  hasFailedAt(disk: SimDisk, offsetBytes: number): boolean {
    const { blockBytes, unitBytes } = this.#parts;
    const first = this.#placeKey(disk, offsetBytes);
    for (let each = first; each < first + unitBytes / blockBytes; each += 1)
      if (this.#failedOnSpares.has(each)) return true;
    return false;
  }

  #placeKey(disk: SimDisk, offsetBytes: number): number {
    return disk.id * 2 ** 32 + offsetBytes / this.#parts.blockBytes;
  }

  /** Somebody wants it moved. */
  noteReasonToMove(unit: number): void {
    this.#failedUnits.add(unit);
  }

  /** The main device is another disk: what failed before was of the old one. These units are on spares still. */
  newMain(movedUnits: Iterable<number>): void {
    this.#failedUnits.clear();
    for (const unit of movedUnits) this.#failedUnits.add(unit);
  }

  /** It is back on the main device, which has taken all of it. */
  forgetReasonToMove(unit: number): void {
    this.#failedUnits.delete(unit);
  }

  /** A disk is gone from now on, or takes no writes. */
  beginOutage(): void {
    this.excuseRetired();
    this.#twiceAway.beginOutage();
  }

  #noteAway({ disk, offsetBytes, lengthBytes }: SimIo): void {
    const { blockBytes } = this.#parts;
    for (let at = offsetBytes; at < offsetBytes + lengthBytes; at += blockBytes) {
      const block = at / blockBytes;
      if (this.#twiceAway.noteRefused(disk.id * 2 ** 32 + block)) this.blockFailed(disk, block);
    }
  }

  /**
   * The main device takes no writes. That is found out by writing elsewhere, where nobody is at work; where there is next to
   * nothing else, reads tell that it lives, and its sectors are to blame (docs/error-policy.md, the breaker).
   */
  #noteRefused({ offsetBytes, lengthBytes }: SimIo): void {
    const { unitBytes, model, blockBytes, isMostlyBusy } = this.#parts;
    const unitCount = (model.blockCount * blockBytes) / unitBytes;
    if (!isMostlyBusy() && unitCount - this.#failedUnits.size >= FEW_UNITS) return;
    for (let at = offsetBytes - (offsetBytes % unitBytes); at < offsetBytes + lengthBytes; at += unitBytes)
      this.#failedUnits.add(at / unitBytes);
  }

  #noteWrittenOnSpare({ disk, offsetBytes, lengthBytes }: SimIo): void {
    const { blockBytes } = this.#parts;
    for (let at = offsetBytes; at < offsetBytes + lengthBytes; at += blockBytes) {
      this.#writtenOnSpares.add(disk.id * 2 ** 32 + at / blockBytes);
    }
  }

  /** A zeroed block does not say which one it is: on a spare it may be any that is zero now. */
  #noteDamage(disk: SimDisk, place: number, view: DataView, at: number): void {
    const { blockBytes, model } = this.#parts;
    const held = blockNumberAt(view, at, blockBytes);
    const block = held === -1 && disk.target === 0 ? place : held;
    if (block !== -1 && block < model.blockCount)
      return model.noteDamage(block, versionAt(view, at, blockBytes, block));
    if (this.#writtenOnSpares.has(disk.id * 2 ** 32 + place)) model.noteZeroDamage();
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
  /** Requests and commands are at work in so many places that half of those may be busy where the main device is tried. */
  readonly isMostlyBusy: () => boolean;
}

/** Among so few there may be none that can be tried. */
const FEW_UNITS = 16;
/** Longer than all reads take by which a disk is known again. */
const MOMENT_US = 10_000;

function describeIo(io: SimIo, result: number): string {
  const { disk, kind, offsetBytes, lengthBytes, durable } = io;
  const where = kind === 'flush' ? '' : ` ${offsetBytes}+${lengthBytes}`;
  return `  ${disk.description}: ${kind}${durable ? ' fua' : ''}${where} -> ${result}`;
}
