import { describe, expect, it } from 'vitest';
import { Counter, newCounters } from '../engine/counters.js';
import type { RequestStep } from './history.js';
import { RequestCounts } from './request-counts.js';

const WRITE: RequestStep = {
  ...{ kind: 'request', operation: 'write', queue: 0, isAimed: false, first: 0, count: 3 },
  ...{ durable: false, flags: 0, events: 0 },
};

describe('requests that a process has counted', () => {
  it('are those that clients have sent since it is at work', () => {
    const counters = newCounters([5, 6]);
    const counts = new RequestCounts(512);
    counts.noteSent(WRITE);
    counts.begin(counters);
    counts.noteSent(WRITE);
    expect(() => counts.check(counters)).toThrow('writes counts 6; 7 were asked for');
    counters[Counter.writes]! += 1;
    expect(() => counts.check(counters)).toThrow('writtenBytes counts 0; 1536 were asked for');
    counters[Counter.writtenBytes]! += 1536;
    expect(() => counts.check(counters)).not.toThrow();
    counts.noteFailed();
    expect(() => counts.check(counters)).toThrow('requestsFailed');
  });

  it('are those that a superblock has', () => {
    const counts = new RequestCounts(512);
    counts.begin(newCounters([5, 6]));
    counts.noteSent(WRITE);
    expect(() => counts.checkSaved([5, 6])).toThrow('writes is saved as 6; 7 were asked for');
    expect(() => counts.checkSaved([5, 7, 0, 0, 0, 0, 1536])).not.toThrow();
  });

  it('are not looked at where nobody knows what was asked of it', () => {
    const counts = new RequestCounts(512);
    counts.begin(newCounters());
    counts.noteSent(WRITE);
    counts.forget();
    expect(() => counts.check(newCounters())).not.toThrow();
  });
});
