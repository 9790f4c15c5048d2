import { versionAt } from '../block-pattern.js';
import { BlockFlag } from '../disk-faults.js';
import { newestSuperblock } from '../metadata-reader.js';
import type { SimDisk } from '../sim-disk.js';
import type { ByHandParts } from './by-hand.js';
import { spareBytesAsRead } from './bytes-as-read.js';

/**
 * Which of two disks is the main device, while that hangs on one superblock: it may be there or not, and one that is only in
 * a cache may go with the power. The metadata say it, by a decoder that knows nothing of the product.
 */
export class MainChange {
  readonly #parts: Pick<ByHandParts, 'machine' | 'model' | 'statistics'>;
  /** Of the superblock with the old one; undefined: nothing hangs on it. */
  #generationBefore: number | undefined;
  #isNew = false;

  constructor(parts: Pick<ByHandParts, 'machine' | 'model' | 'statistics'>) {
    this.#parts = parts;
  }

  /** The bystander is about to become the main device. */
  begin(): void {
    this.#generationBefore = this.#generation;
    this.#isNew = true;
    this.#parts.machine.exchangeMain();
  }

  /** No process is at work: that is the main device which the next one has to be given. True: the new one. */
  settle(): boolean {
    if (this.#generationBefore === undefined) return false;
    const isNew = this.#generation > this.#generationBefore;
    if (isNew !== this.#isNew) this.#parts.machine.exchangeMain();
    this.#isNew = isNew;
    if (isNew) this.#noteDamage();
    return isNew;
  }

  /** The set was started, and what it was started with is durable. True: the main device is another one now. */
  end(): boolean {
    const isMade = this.#generationBefore !== undefined && this.#isNew;
    this.#generationBefore = undefined;
    if (isMade) this.#parts.statistics.cutOvers += 1;
    return isMade;
  }

  get #generation(): number {
    return newestSuperblock(spareBytesAsRead(this.#parts.machine))?.generation ?? 0;
  }

  /** What the new one took and does not give any more was no matter while the old one served. */
  #noteDamage(): void {
    const { machine, model } = this.#parts;
    const main = machine.disks[0]!;
    for (let block = 0; block < model.blockCount; block += 1)
      if (main.faults.has(block, BlockFlag.unreadable)) this.#noteDamaged(main, block);
  }

  #noteDamaged(main: SimDisk, block: number): void {
    const { machine, model } = this.#parts;
    const { blockBytes } = machine.scenario;
    model.noteDamage(block, versionAt(main.view, block * blockBytes, blockBytes, block));
    const stable = main.stableViewOf(block);
    if (stable !== undefined) model.noteDamage(block, versionAt(stable, 0, blockBytes, block));
  }
}
