import { expect, it } from 'vitest';
import { SpareAlerts } from './spare-alerts.js';

const use = (freeUnits: number, changes = {}) => ({
  freeUnits,
  usableUnits: 1000,
  warningPercent: 90,
  emergencyPercent: 98,
  ...changes,
});

it('tells of each threshold once, in the order of what is worse', () => {
  const alerts = new SpareAlerts();
  const told = [1000, 100, 99, 50, 20, 19, 0].map((free) => alerts.check(use(free), undefined)?.event);
  expect(told).toEqual([
    undefined,
    undefined,
    'spareLow',
    undefined,
    undefined,
    'spareNearlyFull',
    undefined,
  ]);
});

it('tells again after there was room again, or where the threshold has changed', () => {
  const alerts = new SpareAlerts();
  expect(alerts.check(use(99), undefined)?.event).toBe('spareLow');
  expect(alerts.check(use(200), undefined)).toBeUndefined();
  expect(alerts.check(use(99), undefined)).toMatchObject({
    level: 'warn',
    event: 'spareLow',
    message: expect.stringContaining('only 99 of 1,000 units'),
  });
  expect(alerts.check(use(99, { emergencyPercent: 50 }), undefined)?.level).toBe('error');
  expect(alerts.check(use(99, { warningPercent: 100, emergencyPercent: 100 }), undefined)).toBeUndefined();
});
