import type { DeviceStatus } from '../library/device-types.js';

type Counters = DeviceStatus['counters'];

/**
 * What a set has done since its process was started, or since somebody asked to count anew (`clear_stats`; of the remaps `clear`).
 * The counters of the device itself grow for ever.
 */
export class Figures {
  #base: Counters;
  #sinceSeconds: number;
  /** Scans that were asked for by message. */
  scanCount = 0;

  constructor(countersNow: Counters, nowSeconds: number) {
    this.#base = countersNow;
    this.#sinceSeconds = nowSeconds;
  }

  /** Seconds since 1970. */
  get sinceSeconds(): number {
    return this.#sinceSeconds;
  }

  of(counters: Counters): Counters {
    const entries = Object.entries(counters) as [keyof Counters, number][];
    return Object.fromEntries(entries.map(([name, value]) => [name, value - this.#base[name]])) as Counters;
  }

  /** Nothing is moved any more. */
  clearRemaps({ remapsOfWrites, remapsOfReads, remapsOfSpares, remapsByHand }: Counters): void {
    this.#base = { ...this.#base, remapsOfWrites, remapsOfReads, remapsOfSpares, remapsByHand };
  }

  clear(countersNow: Counters, nowSeconds: number): void {
    this.#base = countersNow;
    this.#sinceSeconds = nowSeconds;
    this.scanCount = 0;
  }
}
