import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TimerHeap } from './timer-heap.js';

test('timers run by due time, then by order of adding, and exactly those that are due', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 60 }),
      fc.nat(20),
      (dueTimes, nowMs) => {
        const heap = new TimerHeap();
        const ran: [number, number][] = [];
        for (const [index, dueMs] of dueTimes.entries()) heap.add(dueMs, () => ran.push([dueMs, index]));
        heap.runDue(nowMs);
        const expected = dueTimes.map((dueMs, index): [number, number] => [dueMs, index]);
        const due = expected.filter(([dueMs]) => dueMs <= nowMs).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
        expect(ran).toEqual(due);
        const rest = dueTimes.filter((dueMs) => dueMs > nowMs);
        expect(heap.nextDueMs()).toBe(Math.min(Number.POSITIVE_INFINITY, ...rest));
      },
    ),
  );
});
