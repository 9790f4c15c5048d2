import { describe, expect, it } from 'vitest';
import { Breaker } from './breaker.js';

/** How many failures it takes until the breaker wants a proof of life. */
function failuresUntilProof(breaker: Breaker, operation: 'read' | 'write'): number {
  for (let failures = 1; failures < 1000; failures += 1) {
    if (breaker.needsProof(false, operation, 0)) return failures;
  }
  return Number.POSITIVE_INFINITY;
}

describe('the breaker', () => {
  it('wants a proof of life for an ambiguous error, and believes it for a moment', () => {
    const breaker = new Breaker();
    expect(breaker.needsProof(true, 'write', 1000)).toBe(true);
    breaker.noteAlive('write', 1000);
    expect(breaker.needsProof(true, 'write', 1499)).toBe(false);
    expect(breaker.needsProof(true, 'write', 1500)).toBe(true);
  });

  it('takes a few medium errors for what they are', () => {
    const breaker = new Breaker();
    expect(breaker.needsProof(false, 'write', 0)).toBe(false);
    expect(breaker.needsProof(false, 'read', 0)).toBe(false);
  });

  it('wants a proof of life when a whole wave of units fails without a success', () => {
    expect(failuresUntilProof(new Breaker(), 'write')).toBe(64);
    expect(failuresUntilProof(new Breaker(), 'read')).toBe(64);
  });

  it('goes on asking as long as the wave goes on', () => {
    const breaker = new Breaker();
    failuresUntilProof(breaker, 'write');
    expect(breaker.needsProof(false, 'write', 0)).toBe(true);
  });

  it('does not take answered reads for a proof that writes work', () => {
    const breaker = new Breaker();
    for (let failures = 1; failures < 64; failures += 1) breaker.needsProof(false, 'write', 0);
    breaker.noteAlive('read', 0);
    breaker.noteSuccess('read');
    expect(breaker.needsProof(false, 'write', 0)).toBe(true);
  });

  it('begins to count anew after a success of the same kind', () => {
    const breaker = new Breaker();
    for (let failures = 1; failures < 64; failures += 1) breaker.needsProof(false, 'write', 0);
    breaker.noteSuccess('write');
    expect(failuresUntilProof(breaker, 'write')).toBe(64);
  });

  it('opens with a reason and stays open until it is closed', () => {
    const breaker = new Breaker();
    expect([breaker.isOpen, breaker.reason]).toEqual([false, undefined]);
    breaker.trip('gone', 0);
    expect([breaker.isOpen, breaker.reason]).toEqual([true, 'gone']);
    breaker.close(1_000_000);
    expect([breaker.isOpen, breaker.reason]).toEqual([false, undefined]);
  });

  it('allows one attempt per pause while it is open, and none while it is not', () => {
    const breaker = new Breaker();
    expect(breaker.takeTrial(10_000)).toBe(false);
    breaker.trip('gone', 10_000);
    const trials = [11_999, 12_000, 12_001, 13_999, 14_000].map((nowMs) => breaker.takeTrial(nowMs));
    expect(trials).toEqual([false, true, false, false, true]);
  });

  it('starts without debts after it was closed', () => {
    const breaker = new Breaker();
    failuresUntilProof(breaker, 'write');
    breaker.trip('gone', 0);
    breaker.close(5000);
    expect(failuresUntilProof(breaker, 'write')).toBe(64);
    expect(breaker.needsProof(true, 'read', 5100)).toBe(false);
  });
});
