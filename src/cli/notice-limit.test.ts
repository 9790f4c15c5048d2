import { expect, it } from 'vitest';
import type { DeviceNotice } from '../library/device-types.js';
import { NoticeLimit } from './notice-limit.js';

function notice(event: string, number: number): DeviceNotice {
  return { level: 'warn', event, message: `${event} ${number}`, details: {} };
}

it('lets twenty of a kind through, and says how many more there were when ten seconds are over', () => {
  const lines: string[] = [];
  const timers: { delayMs: number; task: () => void }[] = [];
  const limit = new NoticeLimit(
    ({ message }) => lines.push(message),
    (delayMs, task) => timers.push({ delayMs, task }),
  );
  for (let number = 1; number <= 50; number += 1) limit.add(notice('remapped', number));
  limit.add(notice('spareGone', 1));
  expect(lines.length).toBe(21);
  expect(lines.slice(-2)).toEqual(['remapped 20', 'spareGone 1']);
  expect(timers.map(({ delayMs }) => delayMs)).toEqual([10_000, 10_000]);
  for (const { task } of timers) task();
  expect(lines.slice(21)).toEqual([
    '30 more of "remapped" in 10 s are not in this log; "dmremap events" has the last ones',
  ]);
  limit.add(notice('remapped', 51));
  expect(lines.at(-1)).toBe('remapped 51');
});
