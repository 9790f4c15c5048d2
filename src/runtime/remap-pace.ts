/**
 * How fast units move to spares, and when these are full if it goes on so. By the hour, of the last week. Pure: times are
 * handed in, in seconds since 1970.
 */
export class RemapPace {
  /** By hour number modulo the week: units that moved in it, and which hour that was. */
  readonly #counts = new Uint32Array(HOURS_PER_WEEK);
  readonly #hours = new Float64Array(HOURS_PER_WEEK).fill(-1);

  /** So many units moved then. In any order, so that the times of a map can be given as they lie. */
  note(timeSeconds: number, unitCount = 1): void {
    const hour = Math.floor(timeSeconds / SECONDS_PER_HOUR);
    const place = hour % HOURS_PER_WEEK;
    if (hour < this.#hours[place]!) return;
    if (hour > this.#hours[place]!) this.#counts[place] = 0;
    this.#hours[place] = hour;
    this.#counts[place]! += unitCount;
  }

  /**
   * The earliest of what the last hours, day and week say; undefined where too few units moved to say anything, or where the
   * spares are full.
   */
  forecast(freeUnits: number, nowSeconds: number): SpareForecast | undefined {
    if (freeUnits === 0) return undefined;
    const forecasts = PACES.flatMap(({ pace, hours }) => {
      const movedUnits = this.#movedIn(hours, nowSeconds);
      if (movedUnits < FEWEST_UNITS) return [];
      return [{ pace, fullInSeconds: Math.round((freeUnits * hours * SECONDS_PER_HOUR) / movedUnits) }];
    });
    return forecasts.sort((one, other) => one.fullInSeconds - other.fullInSeconds)[0];
  }

  /** The hour that has begun counts as one of them. */
  #movedIn(hours: number, nowSeconds: number): number {
    const now = Math.floor(nowSeconds / SECONDS_PER_HOUR);
    let movedUnits = 0;
    for (let hour = now; hour > now - hours; hour -= 1) {
      const place = hour % HOURS_PER_WEEK;
      if (this.#hours[place] === hour) movedUnits += this.#counts[place]!;
    }
    return movedUnits;
  }
}

export interface SpareForecast {
  /** What it goes by: the last two hours, day or week. */
  readonly pace: Pace;
  readonly fullInSeconds: number;
}

export type Pace = 'hours' | 'day' | 'week';

const SECONDS_PER_HOUR = 3600;
const HOURS_PER_WEEK = 168;
/** Two hours, of which one may have begun just now. */
const PACES: readonly { readonly pace: Pace; readonly hours: number }[] = [
  { pace: 'hours', hours: 2 },
  { pace: 'day', hours: 24 },
  { pace: 'week', hours: HOURS_PER_WEEK },
];
/** One scratch moves a dozen units in a second and says nothing of tomorrow. */
const FEWEST_UNITS = 16;
