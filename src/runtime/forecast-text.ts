import { formatCount } from '../base/format-count.js';
import type { Pace, SpareForecast } from './remap-pace.js';

/** `full in about 3 hours at the pace of the last day`. */
export function forecastText({ pace, fullInSeconds }: SpareForecast): string {
  return `full in about ${durationText(fullInSeconds)} at the pace of the last ${PACE_WORDS[pace]}`;
}

/** In the largest unit of which there are two: nobody knows it better. */
function durationText(seconds: number): string {
  const [word, size] = UNITS.find(([, each]) => seconds >= 2 * each) ?? ['minute', 60];
  return formatCount(Math.max(1, Math.round(seconds / size)), word);
}

const UNITS: readonly (readonly [string, number])[] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['day', 86_400],
  ['hour', 3600],
];
const PACE_WORDS: Readonly<Record<Pace, string>> = { hours: 'two hours', day: 'day', week: 'week' };
