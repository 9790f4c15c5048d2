import { assert } from '../base/assert.js';
import { type Descriptor, DescriptorState } from '../format/descriptor-page.js';
import { MAX_SPARE_UNITS } from '../format/layout.js';

/**
 * Main unit -> spare unit, with what is known of each spare unit: the in-memory form of all descriptor pages.
 *
 * Lives in one SharedArrayBuffer: any number of reading threads, one writer, no locks on the read path.
 *
 * Why a reader never sees half an entry. The writer fills a spare unit's fields and then publishes them with one
 * atomic store of its hash slot; readers load the slot atomically, so they see the fields as well. A reader looks up
 * units that it has in flight and that nobody has locked (`UnitLocks`), so what is said of these does not change
 * meanwhile. On its way it passes the slots of other units, which may change: from empty to an entry, to another
 * entry of the same unit, because a unit that moves keeps its slot, or from an entry to `GIVEN_BACK`, which is passed
 * over and never used again, so that no slot is emptied. What it compares there, the main unit of an entry, changes only
 * after that, when a spare unit that was given back serves another main unit. A reader that loaded the slot before may
 * compare with halves of both; therefore a match counts only if the slot still says the same, which it does not then.
 *
 * 25 bytes per spare unit (19 for fields, 6 for one and a half hash slots); pages never touched cost no memory.
 */
export class RemapTable {
  readonly shared: SharedArrayBuffer;
  readonly spareUnitCapacity: number;
  readonly #slotCount: number;
  /** [0] number of mapped units, [1] number of mapped units with lost blocks, [2] number of retired spare units. */
  readonly #totals: Int32Array;
  /** spare unit + 1; 0 is empty. Linear probing. */
  readonly #slots: Int32Array;
  /** Known to the writer. */
  #emptySlotCount: number;
  /** Main units that a slot leads from. */
  #publishedCount = 0;
  readonly #mainUnitLow: Uint32Array;
  readonly #mainUnitHigh: Uint16Array;
  readonly #lostMask: Uint32Array;
  /** `LAST_TIME_SECONDS` at most. */
  readonly #timeSeconds: Uint32Array;
  readonly #errorCount: Uint16Array;
  readonly #state: Uint8Array;
  readonly #reason: Uint8Array;
  readonly #moveCount: Uint8Array;
  readonly #isWriter: boolean;

  /** For the thread that writes. */
  static allocate(spareUnitCapacity: number): RemapTable {
    assert(
      spareUnitCapacity > 0 && spareUnitCapacity <= MAX_SPARE_UNITS,
      `spare units: ${spareUnitCapacity}`,
    );
    return new RemapTable(new SharedArrayBuffer(tableBytes(spareUnitCapacity)), spareUnitCapacity, true);
  }

  /** Views a table that another thread allocated. */
  constructor(shared: SharedArrayBuffer, spareUnitCapacity: number, isWriter = false) {
    assert(shared.byteLength === tableBytes(spareUnitCapacity), 'table and capacity belong together');
    this.shared = shared;
    this.#isWriter = isWriter;
    this.spareUnitCapacity = spareUnitCapacity;
    this.#slotCount = slotCountFor(spareUnitCapacity);
    this.#emptySlotCount = this.#slotCount;
    const n = evenCount(spareUnitCapacity);
    let at = 0;
    const take = (sizeBytes: number): number => {
      at += sizeBytes;
      return at - sizeBytes;
    };
    this.#totals = new Int32Array(shared, take(TOTALS_BYTES), 4);
    this.#slots = new Int32Array(shared, take(this.#slotCount * 4), this.#slotCount);
    this.#mainUnitLow = new Uint32Array(shared, take(n * 4), n);
    this.#lostMask = new Uint32Array(shared, take(n * 4), n);
    this.#timeSeconds = new Uint32Array(shared, take(n * 4), n);
    this.#mainUnitHigh = new Uint16Array(shared, take(n * 2), n);
    this.#errorCount = new Uint16Array(shared, take(n * 2), n);
    this.#state = new Uint8Array(shared, take(n), n);
    this.#reason = new Uint8Array(shared, take(n), n);
    this.#moveCount = new Uint8Array(shared, take(n), n);
  }

  get mappedCount(): number {
    return Atomics.load(this.#totals, 0);
  }
  get unitsWithLossCount(): number {
    return Atomics.load(this.#totals, 1);
  }
  get retiredCount(): number {
    return Atomics.load(this.#totals, 2);
  }

  /** The spare unit that holds this main unit, or -1. */
  find(mainUnit: number): number {
    const low = mainUnit >>> 0;
    const high = (mainUnit / 0x1_0000_0000) | 0;
    let slot = this.#slotOf(low, high);
    for (;;) {
      const entry = this.#isWriter ? this.#slots[slot]! : Atomics.load(this.#slots, slot);
      if (entry === 0) return -1;
      if (entry > 0 && this.#mainUnitLow[entry - 1] === low && this.#mainUnitHigh[entry - 1] === high) {
        if (this.#isWriter || Atomics.load(this.#slots, slot) === entry) return entry - 1;
      }
      slot = slot + 1 === this.#slotCount ? 0 : slot + 1;
    }
  }

  state(spareUnit: number): number {
    return this.#state[spareUnit]!;
  }
  /** Of a mapped spare unit, or of one that was retired after it was mapped. */
  mainUnit(spareUnit: number): number {
    return this.#mainUnitHigh[spareUnit]! * 0x1_0000_0000 + this.#mainUnitLow[spareUnit]!;
  }
  /** Bit n: logical block n of the unit has no contents. */
  lostMask(spareUnit: number): number {
    return this.#lostMask[spareUnit]!;
  }
  reason(spareUnit: number): number {
    return this.#reason[spareUnit]!;
  }
  moveCount(spareUnit: number): number {
    return this.#moveCount[spareUnit]!;
  }
  errorCount(spareUnit: number): number {
    return this.#errorCount[spareUnit]!;
  }
  timeSeconds(spareUnit: number): number {
    return this.#timeSeconds[spareUnit]!;
  }

  /**
   * Makes the fields of a spare unit say this, and (for a mapped one) the main unit lead to it. The caller holds the
   * lock of the main unit, and the change is durable already.
   */
  set(spareUnit: number, entry: Readonly<Descriptor>): void {
    this.#uncount(spareUnit);
    if (entry.state !== DescriptorState.mapped) this.#unpublish(spareUnit);
    if (entry.state === DescriptorState.mapped) this.#setMainUnit(spareUnit, entry.mainUnit);
    this.#lostMask[spareUnit] = entry.lostMask;
    this.#timeSeconds[spareUnit] = entry.timeSeconds;
    this.#errorCount[spareUnit] = entry.errorCount;
    this.#reason[spareUnit] = entry.reason;
    this.#moveCount[spareUnit] = entry.moveCount;
    this.#state[spareUnit] = entry.state;
    this.#count(spareUnit);
    if (entry.state === DescriptorState.mapped) this.#publish(spareUnit, entry.mainUnit);
  }

  /**
   * May a spare unit that was given back serve another main unit? Slots that led to it are used up until the next
   * start, and there must be an empty one for each of the `freeCount` units that may still be mapped.
   */
  canReuse(freeCount: number): boolean {
    return this.#emptySlotCount > freeCount + 1;
  }

  /** Places that the unit has left and that could not be retired: still mapped, and outdone by its present place. */
  strayPlacesOf(mainUnit: number): number[] {
    if (this.mappedCount === this.#publishedCount) return [];
    const present = this.find(mainUnit);
    const places: number[] = [];
    for (let unit = 0; unit < this.spareUnitCapacity; unit += 1) {
      const claims = this.#state[unit] === DescriptorState.mapped && this.mainUnit(unit) === mainUnit;
      if (claims && unit !== present) places.push(unit);
    }
    return places;
  }

  /** Reads a spare unit's fields into a reused object. */
  get(spareUnit: number, into: Descriptor): void {
    into.state = this.#state[spareUnit]!;
    into.mainUnit = into.state === DescriptorState.mapped ? this.mainUnit(spareUnit) : 0;
    into.lostMask = this.#lostMask[spareUnit]!;
    into.timeSeconds = this.#timeSeconds[spareUnit]!;
    into.errorCount = this.#errorCount[spareUnit]!;
    into.reason = this.#reason[spareUnit]!;
    into.moveCount = this.#moveCount[spareUnit]!;
  }

  #setMainUnit(spareUnit: number, mainUnit: number): void {
    const isKnown = this.#state[spareUnit] !== DescriptorState.free;
    assert(!isKnown || this.mainUnit(spareUnit) === mainUnit, 'a spare unit serves one main unit for good');
    this.#mainUnitLow[spareUnit] = mainUnit >>> 0;
    this.#mainUnitHigh[spareUnit] = (mainUnit / 0x1_0000_0000) | 0;
  }

  #publish(spareUnit: number, mainUnit: number): void {
    const low = mainUnit >>> 0;
    const high = (mainUnit / 0x1_0000_0000) | 0;
    let slot = this.#slotOf(low, high);
    for (let probes = 0; probes < this.#slotCount; probes += 1) {
      const entry = this.#slots[slot]!;
      if (entry === 0) {
        this.#emptySlotCount -= 1;
        this.#publishedCount += 1;
      }
      const isOurs =
        entry > 0 && this.#mainUnitLow[entry - 1] === low && this.#mainUnitHigh[entry - 1] === high;
      if (entry === 0 || isOurs) {
        Atomics.store(this.#slots, slot, spareUnit + 1);
        return;
      }
      slot = slot + 1 === this.#slotCount ? 0 : slot + 1;
    }
    assert(false, 'the hash has more slots than there are spare units');
  }

  /** The main unit that this place holds leads nowhere any more; nothing where it leads elsewhere already. */
  #unpublish(spareUnit: number): void {
    if (this.#state[spareUnit] !== DescriptorState.mapped) return;
    const mainUnit = this.mainUnit(spareUnit);
    let slot = this.#slotOf(mainUnit >>> 0, (mainUnit / 0x1_0000_0000) | 0);
    for (let entry = this.#slots[slot]!; entry !== 0; entry = this.#slots[slot]!) {
      if (entry === spareUnit + 1) {
        Atomics.store(this.#slots, slot, GIVEN_BACK);
        this.#publishedCount -= 1;
        return;
      }
      slot = slot + 1 === this.#slotCount ? 0 : slot + 1;
    }
  }

  #uncount(spareUnit: number): void {
    const state = this.#state[spareUnit]!;
    if (state === DescriptorState.mapped) Atomics.sub(this.#totals, 0, 1);
    if (state === DescriptorState.mapped && this.#lostMask[spareUnit] !== 0) Atomics.sub(this.#totals, 1, 1);
    if (state === DescriptorState.retired) Atomics.sub(this.#totals, 2, 1);
  }

  #count(spareUnit: number): void {
    const state = this.#state[spareUnit]!;
    if (state === DescriptorState.mapped) Atomics.add(this.#totals, 0, 1);
    if (state === DescriptorState.mapped && this.#lostMask[spareUnit] !== 0) Atomics.add(this.#totals, 1, 1);
    if (state === DescriptorState.retired) Atomics.add(this.#totals, 2, 1);
  }

  #slotOf(low: number, high: number): number {
    let hash = Math.imul(low ^ Math.imul(high + 1, 0x9e3779b1), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
    hash ^= hash >>> 13;
    return Math.floor(((hash >>> 0) / 0x1_0000_0000) * this.#slotCount);
  }
}

/** In the year 2106; a clock that is wrong may say more. */
export const LAST_TIME_SECONDS = 0xffff_ffff;

/** In a slot: what was there lives on the main device again. */
const GIVEN_BACK = -1;

const TOTALS_BYTES = 16;
const FIELD_BYTES_PER_UNIT = 19;

function slotCountFor(spareUnitCapacity: number): number {
  return Math.ceil(spareUnitCapacity * 1.5) + 16;
}

/** Keeps every typed array aligned to its element size. */
function evenCount(spareUnitCapacity: number): number {
  return spareUnitCapacity + (spareUnitCapacity & 1);
}

function tableBytes(spareUnitCapacity: number): number {
  const fields = evenCount(spareUnitCapacity) * FIELD_BYTES_PER_UNIT;
  return TOTALS_BYTES + slotCountFor(spareUnitCapacity) * 4 + fields;
}
