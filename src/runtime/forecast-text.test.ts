import { expect, it } from 'vitest';
import { forecastText } from './forecast-text.js';

it.each([
  [30, '1 minute'],
  [7100, '118 minutes'],
  [7200, '2 hours'],
  [200_000, '2 days'],
  [90 * 86_400, '3 months'],
  [10 ** 9, '32 years'],
])('%i seconds are about %s', (fullInSeconds, text) => {
  expect(forecastText({ pace: 'day', fullInSeconds })).toBe(
    `full in about ${text} at the pace of the last day`,
  );
});
