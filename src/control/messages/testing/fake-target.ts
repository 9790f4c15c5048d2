import { COUNTER_NAMES, type CounterName } from '../../../engine/counters.js';
import type { DeviceStatus, HandReport, RemapReport, SectorRange } from '../../../library/device-types.js';
import { DmRemapError } from '../../../library/errors.js';
import { STANDARD_SETTINGS } from '../../../settings/setting-table.js';
import { Figures } from '../../figures.js';
import type { CreatedAs } from '../../schema/device.js';
import type { MessageTarget } from '../message.js';

/** A device of 16384 sectors with a spare of 800, units of 8 sectors; units 0 to 9 of the spare are metadata. */
export class FakeTarget implements MessageTarget {
  readonly figures = new Figures(zeroCounters(), 1000);
  createdAs: CreatedAs | undefined;
  readonly counters = zeroCounters();
  /** Main units that the main device does not take back. */
  readonly stuck = new Set<number>();
  hasRoom = true;
  flushFails = false;
  /** Main unit to spare unit. */
  readonly #map = new Map<number, number>();

  readonly nowSeconds = (): number => 2000;

  readonly device = {
    info: {
      sizeBytes: 16_384 * 512,
      unitBytes: 4096,
      spares: [{ sizeBytes: 800 * 512 }],
    } as unknown as MessageTarget['device']['info'],
    status: async () => this.#status(),
    remapAt: async (sector: number) => this.#remapOf(Math.floor(sector / 8)),
    remaps: async ({ firstSpareUnit = 0, limit = 1000 } = {}) => {
      const units = [...this.#map].filter(([, spare]) => spare >= firstSpareUnit).sort((a, b) => a[1] - b[1]);
      return {
        remaps: units.slice(0, limit).map(([main]) => this.#remapOf(main)!),
        nextSpareUnit: units[limit]?.[1] ?? null,
      };
    },
    moveByHand: async (range: SectorRange, place?: { readonly spareSector: number }) =>
      this.#move(Math.floor(range.firstSector / 8), place && place.spareSector / 8),
    giveBack: async (range: SectorRange) => this.#giveBack(range),
    scrubMetadata: async () => ({ pageCount: 3, repairedBlocks: 1 }),
    ublk: undefined as MessageTarget['device']['ublk'],
    flush: async () => {
      if (this.flushFails) throw new DmRemapError('io', 'the flush failed');
    },
  };

  #remapOf(mainUnit: number): RemapReport | undefined {
    const spareUnit = this.#map.get(mainUnit);
    if (spareUnit === undefined) return undefined;
    const place = { spareIndex: 0, spareSector: spareUnit * 8 };
    const facts = { reason: 'manual', lostSectors: [], errorCount: 0, timeSeconds: 0 } as const;
    return { mainUnit, mainSector: mainUnit * 8, sectorCount: 8, ...place, ...facts } as RemapReport;
  }

  #move(mainUnit: number, wished: number | undefined): HandReport {
    const refused = (reason: string): HandReport => ({
      doneCount: 0,
      alreadyCount: 0,
      refusals: [{ mainSector: mainUnit * 8, reason, failure: 'refused' }],
    });
    if (!this.hasRoom) return refused('no spare has room');
    const taken = new Set(this.#map.values());
    if (wished !== undefined && (wished < 10 || taken.has(wished)))
      return refused('the place on the spare holds another unit or metadata, or the spare is being emptied');
    let unit = wished ?? 10;
    while (taken.has(unit)) unit += 1;
    this.#map.set(mainUnit, unit);
    this.counters.remapsByHand += 1;
    return { doneCount: 1, alreadyCount: 0, refusals: [] };
  }

  #giveBack({ firstSector, sectorCount }: SectorRange): HandReport {
    const [first, end] = [Math.floor(firstSector / 8), (firstSector + sectorCount) / 8];
    const all = [...this.#map.keys()].filter((unit) => unit >= first && unit < end);
    const stuck = all.filter((unit) => this.stuck.has(unit));
    for (const unit of all) if (!this.stuck.has(unit)) this.#map.delete(unit);
    const reason = 'the main device did not take its data, or the spare did not give it';
    const refusals = stuck.map((unit) => ({ mainSector: unit * 8, reason, failure: 'io' as const }));
    return { doneCount: all.length - stuck.length, alreadyCount: 0, refusals };
  }

  #status(): DeviceStatus {
    return {
      remappedUnits: this.#map.size,
      unitsWithLostBlocks: 0,
      retiredSpareUnits: 0,
      freeSpareUnits: 90 - this.#map.size,
      usableSpareUnits: 90,
      sparesFull: null,
      mainUnits: 2048,
      settings: STANDARD_SETTINGS,
      breakerOpen: null,
      recognisedBy: 'serialNumber',
      onGone: 'fail',
      gone: [],
      emptying: [],
      takingNone: [],
      remapLimitReached: false,
      connections: 0,
      suspended: false,
      counters: { ...this.counters },
    };
  }
}

function zeroCounters(): Record<CounterName, number> {
  return Object.fromEntries(COUNTER_NAMES.map((name) => [name, 0])) as Record<CounterName, number>;
}
