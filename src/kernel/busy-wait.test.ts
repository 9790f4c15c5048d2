import { describe, expect, it } from 'vitest';
import { BusyWait } from './busy-wait.js';

describe('how long a thread looks for work before it sleeps', () => {
  it('doubles while work comes soon, up to a fifth of a millisecond, and is nothing when it stays away', () => {
    const busyWait = new BusyWait(2);
    busyWait.noteLooked(1000, 0.1);
    const limits = [busyWait.limitMs, ...limitsAfter(busyWait, 0.15, 7)];
    expect(limits).toEqual([0, 0.008, 0.016, 0.032, 0.064, 0.128, 0.2, 0.2]);
    expect(limitsAfter(busyWait, 0.21, 1)).toEqual([0]);
  });

  it('grows to a millisecond where looking takes long, and shrinks when it does not any more', () => {
    const busyWait = new BusyWait(2);
    busyWait.noteLooked(100, 0.13);
    expect(limitsAfter(busyWait, 0.9, 9).at(-1)).toBe(1);
    busyWait.noteLooked(1000, 0.05);
    expect(limitsAfter(busyWait, 0.2, 1)).toEqual([0.2]);
    expect(limitsAfter(busyWait, 0.9, 1)).toEqual([0]);
  });

  it('is nothing with one processor', () => {
    expect(limitsAfter(new BusyWait(1), 0.01, 2)).toEqual([0, 0]);
  });
});

function limitsAfter(busyWait: BusyWait, waitedMs: number, waitCount: number): number[] {
  return Array.from({ length: waitCount }, () => {
    busyWait.noteSlept(waitedMs);
    return busyWait.limitMs;
  });
}
