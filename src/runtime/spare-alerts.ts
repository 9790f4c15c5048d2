import { formatNumber } from '../base/format-count.js';
import type { DeviceNotice } from './device-report.js';
import { forecastText } from './forecast-text.js';
import { notice } from './notice.js';
import type { SpareForecast } from './remap-pace.js';

/** What an alert depends on. */
export interface SpareUse {
  readonly freeUnits: number;
  readonly usableUnits: number;
  /** `spare_warning_percent` and `emergency_threshold`. */
  readonly warningPercent: number;
  readonly emergencyPercent: number;
}

/**
 * Says once when more of the spares is in use than a threshold allows, and again when that comes after it was no longer so.
 * That they are full is another event (`spareExhausted`).
 */
export class SpareAlerts {
  #level: SpareLevel = 'enough';

  /** To be called when the use or a threshold has changed. */
  check(use: SpareUse, forecast: SpareForecast | undefined): DeviceNotice | undefined {
    const before = this.#level;
    this.#level = spareLevelOf(use);
    if (RANK[this.#level] <= RANK[before]) return undefined;
    return alertOf(this.#level, use, forecast);
  }
}

/** How far the room for bad sectors is used up. */
export type SpareLevel = 'enough' | 'low' | 'nearlyFull';

export function spareLevelOf({
  freeUnits,
  usableUnits,
  warningPercent,
  emergencyPercent,
}: SpareUse): SpareLevel {
  const used = usableUnits - freeUnits;
  if (used * 100 > usableUnits * emergencyPercent) return 'nearlyFull';
  return used * 100 > usableUnits * warningPercent ? 'low' : 'enough';
}

const RANK: Readonly<Record<SpareLevel, number>> = { enough: 0, low: 1, nearlyFull: 2 };

function alertOf(level: SpareLevel, use: SpareUse, forecast: SpareForecast | undefined): DeviceNotice {
  const { freeUnits, usableUnits, warningPercent, emergencyPercent } = use;
  const estimate = forecast === undefined ? '' : `, ${forecastText(forecast)}`;
  const left = `only ${formatNumber(freeUnits)} of ${formatNumber(usableUnits)} units for bad sectors are left${estimate}`;
  const details = { freeUnits, usableUnits, ...(forecast && { fullInSeconds: forecast.fullInSeconds }) };
  if (level === 'nearlyFull')
    return notice(
      'error',
      'spareNearlyFull',
      `${left} (emergency_threshold ${emergencyPercent} %): add a spare, or move the data off now`,
      details,
    );
  return notice(
    'warn',
    'spareLow',
    `${left} (spare_warning_percent ${warningPercent} %): plan for another spare or disk`,
    details,
  );
}
