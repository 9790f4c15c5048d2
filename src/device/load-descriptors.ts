import { assert } from '../base/assert.js';
import type { Procedure, Target, TransferEffect } from '../engine/effect.js';
import { perform, performAll } from '../engine/effect.js';
import {
  type Descriptor,
  emptyDescriptor,
  pageGeneration,
  pageSequence,
  readDescriptor,
  verifyPage,
} from '../format/descriptor-page.js';
import {
  type CopyLayout,
  DESCRIPTORS_PER_PAGE,
  descriptorOffsetBytes,
  firstPageOfSpare,
  holdsPage,
  METADATA_PAGE_BYTES,
  pageOffsetBytes,
} from '../format/layout.js';
import { choosePage, emptyPageChoice, type PageChoice, PageVersions } from '../format/page-choice.js';
import { outvote } from '../format/page-vote.js';
import type { Superblock } from '../format/superblock.js';
import type { IoMemory } from '../ports/io-memory.js';
import { RECOVERY_READ_BYTES } from './limits.js';

/**
 * Reads every descriptor page that has ever been written, from all copies, chooses the valid version of each and
 * hands its descriptors on. One sequential pass; nothing is written.
 */
export function* loadDescriptors(input: LoadInput): Procedure<LoadReport> {
  const loader = new PageLoader(input);
  for (const spare of input.superblock.spares) {
    const { pages } = input;
    const first = firstPageOfSpare(spare);
    const firstPage = Math.max(first, pages?.firstPage ?? 0);
    const endPage = Math.min(first + spare.initialisedPageCount, pages?.endPage ?? Number.POSITIVE_INFINITY);
    for (let page = firstPage; page < endPage; page += PAGES_PER_READ) {
      yield* loader.readPages(page, Math.min(PAGES_PER_READ, endPage - page));
    }
  }
  return loader.report;
}

export interface LoadInput {
  readonly superblock: Superblock;
  /** The store of each spare; undefined: not there, its copies count as absent. */
  readonly targetOfSpare: (spareIndex: number) => Target | undefined;
  readonly memory: IoMemory;
  /** Room for `RECOVERY_READ_BYTES` of each copy. */
  readonly bufferOffset: number;
  /** Left out, all that were ever written. */
  readonly pages?: { readonly firstPage: number; readonly endPage: number };
  /** Called for every descriptor that is not free; `descriptor` is reused. */
  readonly accept: (spareUnit: number, descriptor: Descriptor) => void;
  readonly acceptPage: (page: number, sequence: number) => void;
  /** Called for every page with all that was found of it; both objects are reused. */
  readonly acceptVersions?: (page: number, versions: PageVersions, choice: PageChoice) => void;
}

export interface LoadReport {
  /** No valid version on any copy: what these pages said is gone, and the set must not be used. */
  readonly lostPages: number[];
  /** Only copies on spares that are missing have room for these. */
  readonly outOfReachPages: number[];
  /** Copies (bit c: copy c) that lack the current version of a page; to be written in place (rule R3). */
  readonly inPlaceRepairs: PageRepair[];
  /** Pages to be updated twice instead (`PageChoice.needsTwoUpdates`). */
  readonly repairTwice: number[];
  /** By copy: pages whose current version it has, and pages for which it must be repaired. */
  readonly goodPages: number[];
  readonly badPages: number[];
  /** Pages of which a newer version may have been lost. */
  readonly maybeOutdatedPages: number[];
  /** Pages of which no copy has another version beside the current one. */
  readonly lonePages: number[];
}

export interface PageRepair {
  readonly page: number;
  /** Bit c: copy c. */
  readonly copyMask: number;
  /** Of the version that the others have: what is written is the same, byte for byte. */
  readonly generation: number;
}

const SLOT_PAIR_BYTES = 2 * METADATA_PAGE_BYTES;
const PAGES_PER_READ = RECOVERY_READ_BYTES / SLOT_PAIR_BYTES;

class PageLoader {
  readonly report: LoadReport;
  readonly #input: LoadInput;
  readonly #versions: PageVersions;
  readonly #choice = emptyPageChoice();
  readonly #descriptor = emptyDescriptor();
  /** By copy, as it was at the start: a copy whose spare goes while it is read can't be read. */
  readonly #targets: readonly (Target | undefined)[];
  /** Per copy and slot of the pages in hand: 1 if the disk could not read it. */
  readonly #unreadable: Uint8Array;

  constructor(input: LoadInput) {
    this.#input = input;
    this.#targets = input.superblock.copies.map(({ spareIndex }) => input.targetOfSpare(spareIndex));
    const copyCount = input.superblock.copies.length;
    this.#versions = new PageVersions(copyCount);
    this.#unreadable = new Uint8Array(copyCount * PAGES_PER_READ * 2);
    const zeroes = (): number[] => new Array<number>(copyCount).fill(0);
    this.report = {
      lostPages: [],
      outOfReachPages: [],
      inPlaceRepairs: [],
      repairTwice: [],
      goodPages: zeroes(),
      badPages: zeroes(),
      maybeOutdatedPages: [],
      lonePages: [],
    };
  }

  *readPages(firstPage: number, pageCount: number): Procedure<void> {
    const { copies } = this.#input.superblock;
    this.#unreadable.fill(0);
    const present = [...copies.keys()].filter((copyIndex) => this.#isThere(copyIndex, firstPage));
    const results = yield* performAll(
      present.map((copyIndex) => this.#read(copyIndex, firstPage, 0, pageCount * SLOT_PAIR_BYTES, firstPage)),
    );
    for (const [index, copyIndex] of present.entries()) {
      if (results[index]! < 0) yield* this.#readSlotBySlot(copyIndex, firstPage, pageCount);
    }
    for (let nth = 0; nth < pageCount; nth += 1) this.#judge(firstPage + nth, nth);
  }

  /** Something in the stretch is unreadable: find out which slots are. */
  *#readSlotBySlot(copyIndex: number, firstPage: number, pageCount: number): Procedure<void> {
    for (let half = 0; half < pageCount * 2; half += 1) {
      const page = firstPage + (half >> 1);
      const result = yield* perform(this.#read(copyIndex, page, half & 1, METADATA_PAGE_BYTES, firstPage));
      if (result < 0) this.#unreadable[copyIndex * PAGES_PER_READ * 2 + half] = 1;
    }
  }

  #judge(page: number, nth: number): void {
    const { superblock, accept, acceptPage } = this.#input;
    for (const copyIndex of superblock.copies.keys()) {
      for (let slot = 0; slot < 2; slot += 1) this.#examine(copyIndex, page, nth, slot);
    }
    choosePage(this.#versions, superblock.generation, this.#choice);
    this.#vote(superblock.generation, nth);
    this.#input.acceptVersions?.(page, this.#versions, this.#choice);
    const { found, copyIndex, slot, sequence } = this.#choice;
    const usable = found && this.#takeDescriptors(this.#pageBytes(copyIndex, nth, slot), page, accept);
    if (!usable) {
      const isWithinReach = [...superblock.copies.keys()].some((copy) => this.#isThere(copy, page));
      (isWithinReach ? this.report.lostPages : this.report.outOfReachPages).push(page);
      return;
    }
    acceptPage(page, sequence);
    this.#noteRepairs(page);
  }

  /** Without a majority no version is chosen, and no older one either. */
  #vote(generation: number, nth: number): void {
    const bytesOf = (copyIndex: number, slot: number): Uint8Array => this.#pageBytes(copyIndex, nth, slot);
    if (outvote(this.#versions, this.#choice, bytesOf) || !this.#choice.found) return;
    choosePage(this.#versions, generation, this.#choice);
  }

  #examine(copyIndex: number, page: number, nth: number, slot: number): void {
    if (!this.#isThere(copyIndex, page)) return this.#versions.set(copyIndex, slot, 'absent', 0, 0);
    if (this.#unreadable[copyIndex * PAGES_PER_READ * 2 + nth * 2 + slot] === 1) {
      return this.#versions.set(copyIndex, slot, 'unreadable', 0, 0);
    }
    const bytes = this.#pageBytes(copyIndex, nth, slot);
    const { setId } = this.#input.superblock;
    const verdict = verifyPage(bytes, { setId, copyIndex, slot, pageIndex: page });
    if (verdict === 'good') {
      this.#versions.set(copyIndex, slot, verdict, pageSequence(bytes), pageGeneration(bytes));
    } else {
      this.#versions.set(copyIndex, slot, verdict, 0, 0);
    }
  }

  /** False if a descriptor makes no sense: then the page is as good as lost. */
  #takeDescriptors(bytes: Uint8Array, page: number, accept: LoadInput['accept']): boolean {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const firstUnit = page * DESCRIPTORS_PER_PAGE;
    for (let spareUnit = firstUnit; spareUnit < firstUnit + DESCRIPTORS_PER_PAGE; spareUnit += 1) {
      if (!readDescriptor(view, descriptorOffsetBytes(spareUnit), this.#descriptor)) return false;
      if (this.#descriptor.state !== 0) accept(spareUnit, this.#descriptor);
    }
    return true;
  }

  #noteRepairs(page: number): void {
    const { repairMask, generation, needsTwoUpdates, mayBeOutdated } = this.#choice;
    for (const copyIndex of this.#input.superblock.copies.keys()) {
      const isBad = ((repairMask >>> copyIndex) & 1) === 1;
      if (isBad) this.report.badPages[copyIndex]! += 1;
      else if (this.#isThere(copyIndex, page)) this.report.goodPages[copyIndex]! += 1;
    }
    if (needsTwoUpdates) this.report.repairTwice.push(page);
    else if (repairMask !== 0) this.report.inPlaceRepairs.push({ page, copyMask: repairMask, generation });
    if (mayBeOutdated) this.report.maybeOutdatedPages.push(page);
    const { states } = this.#versions;
    const hasOther = states.some((state, index) => state === 'good' && index % 2 !== this.#choice.slot);
    if (!hasOther) this.report.lonePages.push(page);
  }

  /** Its spare is, and it has room for this page; the same for all pages of one spare. */
  #isThere(copyIndex: number, page: number): boolean {
    const copy = this.#input.superblock.copies[copyIndex]!;
    return this.#targets[copyIndex] !== undefined && holdsPage(copy, page);
  }

  #read(
    copyIndex: number,
    page: number,
    slot: number,
    lengthBytes: number,
    firstPage: number,
  ): TransferEffect {
    const copy: CopyLayout = this.#input.superblock.copies[copyIndex]!;
    const target = this.#targets[copyIndex];
    assert(target !== undefined, `copy ${copyIndex} is there`);
    const memoryOffset = this.#memoryOffset(copyIndex, page - firstPage, slot);
    const offsetBytes = pageOffsetBytes(copy, page, slot);
    return { kind: 'read', target, offsetBytes, lengthBytes, memoryOffset };
  }

  #pageBytes(copyIndex: number, nth: number, slot: number): Uint8Array {
    const at = this.#memoryOffset(copyIndex, nth, slot);
    return this.#input.memory.bytes.subarray(at, at + METADATA_PAGE_BYTES);
  }

  #memoryOffset(copyIndex: number, nth: number, slot: number): number {
    return (
      this.#input.bufferOffset +
      copyIndex * RECOVERY_READ_BYTES +
      nth * SLOT_PAIR_BYTES +
      slot * METADATA_PAGE_BYTES
    );
  }
}
