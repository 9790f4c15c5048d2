import { Version } from './block-pattern.js';
import { check } from './check-failure.js';
import { covers, isDiscard, type ModelRequest, newRequest, overlaps, rivalOf } from './model-request.js';
import { Reversals } from './reversals.js';
import { VersionSets } from './version-sets.js';

/**
 * The simplest device that keeps the promises: what each logical block may hold now, and what it may hold after the
 * power has failed, as sets of versions. Knows nothing of spares, maps or metadata.
 *
 * - A write under way adds its version; acknowledged, it leaves its own and those of writes that overlapped it in time.
 * - A flush (or FUA) that is acknowledged leaves, for the time after a power cut, what was there when it began and what
 *   was written since.
 * - A write that failed may have happened: its version stays until the block is written again.
 * - A read with no write around it settles which of the allowed versions it is.
 */
export class BlockModel {
  readonly blockCount: number;
  readonly #now: VersionSets;
  readonly #stable: VersionSets;
  /** Blocks whose stable versions are not those of now. */
  readonly #unflushed = new Set<number>();
  /** Blocks with a write that failed, until they are written again. */
  readonly #undecided = new Set<number>();
  /** What is read may change by itself, because a disk has dropped it and shows it all the same; until it is written again. */
  readonly #fading = new Set<number>();
  /** Written since the last power cut. */
  readonly #isTouched: Uint8Array;
  readonly #underWay = new Set<ModelRequest>();
  /** By block: versions that were allowed when the place that held them became unreadable. */
  readonly #damaged = new Map<number, readonly number[]>();
  /** What a disk went back to, and from what, of which no client has been told yet. */
  readonly #reverted = new Reversals();
  #lastVersion: number = Version.firstWritten;
  /** Zeroes and discards have no version of their own: their number so far, and by block that of the last one. */
  #rangeCount = 0;
  readonly #lastRange: Int32Array;

  constructor(blockCount: number) {
    this.blockCount = blockCount;
    this.#now = new VersionSets(blockCount, Version.initial);
    this.#stable = new VersionSets(blockCount, Version.initial);
    this.#isTouched = new Uint8Array(blockCount);
    this.#lastRange = new Int32Array(blockCount);
  }

  nextVersion(): number {
    this.#lastVersion += 1;
    return this.#lastVersion;
  }

  /** `version`: `zero` and `anything` (a discard) included. */
  beginWrite(first: number, count: number, version: number): ModelRequest {
    const request: ModelRequest = { ...newRequest('write', first, count), version };
    for (const other of this.#underWay) {
      if (!overlaps(request, other)) continue;
      other.rivals.push(request);
      if (other.kind === 'write') request.rivals.push(other);
    }
    this.#underWay.add(request);
    if (version <= 0) this.#rangeCount += 1;
    for (let block = first; block < first + count; block += 1) {
      if (version <= 0) this.#lastRange[block] = this.#rangeCount;
      this.#fading.delete(block);
      this.#now.add(block, version);
      this.#stable.add(block, version);
      this.#unflushed.add(block);
      this.#isTouched[block] = 1;
    }
    return request;
  }

  endWrite(request: ModelRequest, succeeded: boolean, durable: boolean): void {
    this.#underWay.delete(request);
    for (let block = request.first; block < request.first + request.count; block += 1) {
      if (succeeded) this.#acknowledge(request, block, durable);
      else this.#undecided.add(block);
    }
  }

  beginRead(first: number, count: number): ModelRequest {
    const request = newRequest('read', first, count);
    for (const other of this.#underWay) {
      if (other.kind === 'write' && overlaps(request, other)) request.rivals.push(other);
    }
    for (let block = first; block < first + count; block += 1) {
      request.allowed.push(this.#now.isOne(block) ? this.#now.get(block)[0]! : this.#now.get(block));
      if (this.mayBeLost(block)) request.mayFail = true;
    }
    this.#underWay.add(request);
    return request;
  }

  /**
   * Fails the run if a block of it may not hold what was read. From then on it holds that, unless not `isLasting`: read from
   * another disk than the one that has forgotten it.
   */
  endRead(
    request: ModelRequest,
    versionOf: (block: number) => number,
    lostIsZero: boolean,
    isLasting = true,
  ): void {
    this.#underWay.delete(request);
    for (let index = 0; index < request.count; index += 1) {
      const block = request.first + index;
      const version = versionOf(block);
      const isOnlyPossible = this.#checkRead(request, index, version, lostIsZero);
      if (isOnlyPossible && isLasting) this.#settle(block, version);
    }
  }

  /** True if an error is no wonder: a block of it may be lost. */
  endFailedRead(request: ModelRequest): boolean {
    this.#underWay.delete(request);
    if (request.mayFail) return true;
    for (let block = request.first; block < request.first + request.count; block += 1) {
      if (this.mayBeLost(block)) return true;
    }
    return false;
  }

  /** A request that had no answer when the device was told to stop. */
  dropRequest(request: ModelRequest): void {
    this.#underWay.delete(request);
  }

  beginFlush(): ModelFlush {
    const covered = new Map<number, readonly number[]>();
    for (const block of this.#unflushed) covered.set(block, this.#now.get(block));
    const underWay = [...this.#underWay].filter(({ kind }) => kind === 'write');
    return { covered, underWay, newerThan: this.#lastVersion, rangesBefore: this.#rangeCount };
  }

  /** Acknowledged, and no flush has failed since the writes that it is to cover. */
  endFlush({ covered, underWay, newerThan, rangesBefore }: ModelFlush): void {
    for (const [block, versions] of covered) {
      const wasRangeSince = this.#lastRange[block]! > rangesBefore;
      const isSince = (version: number): boolean => version > newerThan || (version <= 0 && wasRangeSince);
      const isUncovered = (version: number): boolean =>
        isSince(version) || underWay.some((write) => write.version === version && covers(write, block));
      this.#forgetReverted(block, isUncovered);
      this.#stable.setAll(
        block,
        this.#stable
          .get(block)
          .filter(
            (version) =>
              isSince(version) || versions.includes(version) || this.#reverted.ledTo(block, version),
          ),
      );
      check(this.#stable.get(block).length > 0, 'model', `block ${block} holds something`);
      if (this.#stable.isLike(block, this.#now) && !this.#reverted.has(block)) this.#unflushed.delete(block);
    }
  }

  /** A client was told that a flush has failed: what was acknowledged before may be gone, and the next one may work. */
  flushFailed(): void {
    this.#reverted.clear();
    for (const { reversals } of this.#underWay) reversals.length = 0;
  }

  /** The power failed: what was not flushed may be gone, what was under way may have happened. */
  powerCut(): void {
    this.crash();
    for (const block of this.#unflushed) this.#now.copyBlock(block, this.#stable);
    this.#unflushed.clear();
    this.#isTouched.fill(0);
  }

  /** The process died: what was under way has happened or not, but does not happen later. */
  crash(): void {
    this.#underWay.clear();
    this.#undecided.clear();
    this.#reverted.clear();
  }

  /**
   * Another process goes on with what is under way. `isToldOfAll`: it knows of flushes that failed, and that nobody has been
   * told of yet; after a kill it does not.
   */
  goesOn(isToldOfAll: boolean): void {
    this.#undecided.clear();
    if (isToldOfAll) return;
    this.#reverted.clear();
    for (const { reversals } of this.#underWay) reversals.length = 0;
  }

  /** The place that holds this version of the block can't be read from now on. */
  noteDamage(block: number, version: number): void {
    const isKnown = this.#now.has(block, version) || this.#stable.has(block, version);
    if (!isKnown && !this.#now.has(block, Version.anything)) return;
    const known = this.#damaged.get(block) ?? [];
    if (!known.includes(version)) this.#damaged.set(block, [...known, version]);
  }

  /** Whatever this block holds may be gone. */
  noteAllDamage(block: number): void {
    for (const version of [...this.#now.get(block), ...this.#stable.get(block)])
      this.noteDamage(block, version);
  }

  /** A place that held zeroes, of nobody knows which block, can't be read from now on. */
  noteZeroDamage(): void {
    for (let block = 0; block < this.blockCount; block += 1) this.noteDamage(block, Version.zero);
  }

  /**
   * The place that held version `from` holds `to` again, because a disk forgot what was not flushed. That is no loss
   * where `to` was as possible as `from`, because that was not acknowledged or both were written at the same time.
   */
  noteReverted(block: number, from: number, to: number): void {
    const wasPossible = this.#stable.has(block, to) || this.#stable.has(block, Version.anything);
    if (from === to || !this.#now.has(block, from) || !wasPossible) return;
    if (!this.#now.has(block, to)) this.#reverted.add(block, { from, to });
    else this.#writerUnderWay(block, from)?.reversals.push({ block, from, to });
    this.#now.add(block, to);
    this.#stable.add(block, to);
    this.#unflushed.add(block);
    for (const other of this.#underWay) {
      if (covers(other, block)) other.rivals.push(rivalOf(block, to));
    }
  }

  /** What it holds will go back to something else, which `noteReverted` was told of. */
  noteFading(block: number): void {
    this.#fading.add(block);
  }

  /** It may be an error to read this block. */
  mayBeLost(block: number): boolean {
    return this.#damaged.has(block);
  }

  mayHold(block: number, version: number): boolean {
    return this.#now.has(block, version) || this.#now.has(block, Version.anything);
  }

  /** It was discarded, and not written since. */
  mayHoldAnything(block: number): boolean {
    return this.#now.has(block, Version.anything);
  }

  mayHoldAfterPowerCut(block: number, version: number): boolean {
    return this.#stable.has(block, version) || this.#stable.has(block, Version.anything);
  }

  describe(block: number): string {
    const now = this.#now.get(block).join(', ');
    return `allowed ${now}; after a power cut ${this.#stable.get(block).join(', ')}`;
  }

  #writerUnderWay(block: number, version: number): ModelRequest | undefined {
    for (const request of this.#underWay)
      if (request.kind === 'write' && request.version === version && covers(request, block)) return request;
    return undefined;
  }

  /**
   * A flush has worked that no failure was told before: what a disk went back to from a write before it may not be there.
   * `isUncovered`: the write of a version had not been answered when the flush began.
   */
  #forgetReverted(block: number, isUncovered: (version: number) => boolean): void {
    if (!this.#reverted.has(block)) return;
    const reverted = this.#reverted.of(block);
    this.#reverted.keep(block, ({ from }) => isUncovered(from));
    const isRefuted = (version: number): boolean =>
      reverted.some(({ to }) => to === version) && !this.#reverted.ledTo(block, version);
    for (const sets of [this.#now, this.#stable]) {
      const left = sets.get(block).filter((version) => !isRefuted(version));
      check(left.length > 0, 'flushError', `a flush is acknowledged, and a disk has lost block ${block}`);
      sets.setAll(block, left);
    }
  }

  #acknowledge(request: ModelRequest, block: number, durable: boolean): void {
    const versions = [request.version];
    for (const rival of request.rivals) {
      if (rival.kind === 'write' && covers(rival, block) && !versions.includes(rival.version))
        versions.push(rival.version);
    }
    this.#now.setAll(block, versions);
    if (!request.rivals.some((rival) => rival.kind === 'write' && covers(rival, block)))
      this.#undecided.delete(block);
    if (durable) {
      this.#stable.setAll(block, versions);
      this.#unflushed.delete(block);
    } else {
      this.#unflushed.add(block);
    }
    this.#forgetDamage(block, versions);
    for (const reversal of request.reversals)
      if (reversal.block === block) this.#reverted.add(block, reversal);
    this.#reverted.keep(block, ({ to }) => to !== request.version && versions.includes(to));
  }

  /** New contents are no longer lost, unless their own place was damaged already. */
  #forgetDamage(block: number, versions: readonly number[]): void {
    const damaged = this.#damaged.get(block);
    if (damaged === undefined || versions.includes(Version.anything)) return;
    const left = damaged.filter((version) => versions.includes(version));
    if (left.length > 0) return void this.#damaged.set(block, left);
    for (const other of this.#underWay)
      if (other.kind === 'read' && covers(other, block)) other.mayFail = true;
    this.#damaged.delete(block);
  }

  /** True: the block holds this, and nothing else of what was possible. */
  #checkRead(request: ModelRequest, index: number, version: number, lostIsZero: boolean): boolean {
    const block = request.first + index;
    const allowed = request.allowed[index]!;
    const isAllowed = typeof allowed === 'number' ? allowed === version : allowed.includes(version);
    const rivals = request.rivals.filter((rival) => covers(rival, block));
    const isOfRival = rivals.some((rival) => rival.version === version);
    const isWild = [allowed].flat().includes(Version.anything) || rivals.some(isDiscard);
    const isLost = lostIsZero && version === Version.zero && (request.mayFail || this.mayBeLost(block));
    if (!isAllowed && !isOfRival && !isWild && !isLost) this.#refuse(block, version, allowed, rivals);
    return isAllowed && rivals.length === 0 && !isWild;
  }

  #refuse(
    block: number,
    version: number,
    allowed: number | readonly number[],
    rivals: readonly ModelRequest[],
  ): void {
    const known = [allowed, ...rivals.map((rival) => rival.version)].flat().join(', ');
    const after = this.#stable.get(block).join(', ');
    check(
      false,
      version === Version.foreign ? 'foreignData' : 'wrongData',
      `block ${block} reads as version ${version}; allowed are ${known} (after a power cut ${after})`,
    );
  }

  #settle(block: number, version: number): void {
    if (this.#undecided.has(block) || this.#fading.has(block)) return;
    if (this.mayBeLost(block) || this.#now.isOne(block)) return;
    const isSafe = this.#isTouched[block] === 0 && this.#stable.isLike(block, this.#now);
    this.#now.set(block, version);
    if (isSafe) this.#stable.set(block, version);
    else this.#unflushed.add(block);
  }
}

export interface ModelFlush {
  readonly covered: ReadonlyMap<number, readonly number[]>;
  /** Writes without an answer when it began. */
  readonly underWay: readonly ModelRequest[];
  readonly newerThan: number;
  readonly rangesBefore: number;
}
