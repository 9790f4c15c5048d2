import { describe, expect, it } from 'vitest';
import { Breaker } from './breaker.js';

/** How many failures it takes until the breaker wants a proof of life. */
function failuresUntilProof(breaker: Breaker, operation: 'read' | 'write'): number {
  for (let failures = 1; failures < 1000; failures += 1) {
    if (breaker.needsProof(false, operation)) return failures;
  }
  return Number.POSITIVE_INFINITY;
}

describe('the breaker', () => {
  it('wants a proof of life for every ambiguous error, however fresh the last one is', () => {
    const breaker = new Breaker();
    expect(breaker.needsProof(true, 'write')).toBe(true);
    breaker.noteSuccess('write');
    expect(breaker.needsProof(true, 'write')).toBe(true);
  });

  it('takes a few medium errors for what they are', () => {
    const breaker = new Breaker();
    expect(breaker.needsProof(false, 'write')).toBe(false);
    expect(breaker.needsProof(false, 'read')).toBe(false);
  });

  it('wants a proof of life when a whole wave of units fails without a success', () => {
    expect(failuresUntilProof(new Breaker(), 'write')).toBe(64);
    expect(failuresUntilProof(new Breaker(), 'read')).toBe(64);
  });

  it('goes on asking as long as the wave goes on', () => {
    const breaker = new Breaker();
    failuresUntilProof(breaker, 'write');
    expect(breaker.needsProof(false, 'write')).toBe(true);
  });

  it('does not take answered reads for a proof that writes work', () => {
    const breaker = new Breaker();
    for (let failures = 1; failures < 64; failures += 1) breaker.needsProof(false, 'write');
    breaker.noteSuccess('read');
    expect(breaker.needsProof(false, 'write')).toBe(true);
  });

  it('begins to count anew after a success of the same kind', () => {
    const breaker = new Breaker();
    for (let failures = 1; failures < 64; failures += 1) breaker.needsProof(false, 'write');
    breaker.noteSuccess('write');
    expect(failuresUntilProof(breaker, 'write')).toBe(64);
  });

  it('opens with a reason and stays open until it is closed', () => {
    const breaker = new Breaker();
    expect([breaker.isOpen, breaker.reason]).toEqual([false, undefined]);
    breaker.trip('gone', 0, false);
    expect([breaker.isOpen, breaker.reason]).toEqual([true, 'gone']);
    breaker.close();
    expect([breaker.isOpen, breaker.reason]).toEqual([false, undefined]);
  });

  it('stops reads as well, unless they work, and lets them pass as soon as they do', () => {
    const breaker = new Breaker();
    const state = (): boolean[] => [breaker.isOpen, breaker.stopsReads];
    breaker.trip('writes fail', 0, true);
    expect(state()).toEqual([true, false]);
    breaker.trip('gone', 0, false);
    expect(state()).toEqual([true, true]);
    breaker.letReadsPass();
    expect(state()).toEqual([true, false]);
    breaker.close();
    expect(state()).toEqual([false, false]);
  });

  it('allows one attempt per pause while it is open, and none while it is not', () => {
    const breaker = new Breaker();
    expect(breaker.takeTrial(10_000)).toBe(false);
    breaker.trip('gone', 10_000, false);
    const trials = [11_999, 12_000, 12_001, 13_999, 14_000].map((nowMs) => breaker.takeTrial(nowMs));
    expect(trials).toEqual([false, true, false, false, true]);
  });

  it('starts without debts after it was closed', () => {
    const breaker = new Breaker();
    failuresUntilProof(breaker, 'write');
    breaker.trip('gone', 0, false);
    breaker.close();
    expect(failuresUntilProof(breaker, 'write')).toBe(64);
  });
});
