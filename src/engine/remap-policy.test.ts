import { describe, expect, it } from 'vitest';
import { emptyDescriptor } from '../format/descriptor-page.js';
import { RemapPolicy } from './remap-policy.js';
import { exampleContext, remapUnit } from './testing/example-context.js';

describe('the number of units on spares', () => {
  it('has no limit by itself', () => {
    const context = exampleContext();
    for (let unit = 0; unit < 50; unit += 1) remapUnit(context, unit);
    expect([context.policy.hasRoom, context.policy.movedCount]).toEqual([true, 50]);
  });

  it('counts units on their way, and neither those of the metadata nor retired ones', () => {
    const { allocator, table } = exampleContext();
    allocator.takeRange(0, 20);
    const policy = new RemapPolicy(allocator, table);
    policy.maxMovedUnits = 2;
    const first = allocator.allocate();
    expect([policy.movedCount, policy.hasRoom]).toEqual([1, true]);
    allocator.allocate();
    expect([policy.movedCount, policy.hasRoom]).toEqual([2, false]);
    table.set(first, { ...emptyDescriptor(), state: 2 });
    expect([policy.movedCount, policy.hasRoom]).toEqual([1, true]);
  });
});

describe('recovered reads', () => {
  const policyWith = (threshold: number): RemapPolicy => {
    const { policy } = exampleContext();
    policy.recoveredReadsUntilMove = threshold;
    return policy;
  };

  it('move a unit at the nth within the window, which the first of them opens', () => {
    const policy = policyWith(3);
    expect([0, 299_999, 300_000, 300_001].map((at) => policy.noteRecoveredRead(5, at))).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(policy.noteRecoveredRead(5, 300_002)).toBe(true);
    expect(policy.noteRecoveredRead(5, 300_003)).toBe(false);
    expect(policy.noteRecoveredRead(6, 300_003)).toBe(false);
  });

  it('are remembered of the last 4096 units', () => {
    const policy = policyWith(2);
    for (let unit = 0; unit <= 4096; unit += 1) policy.noteRecoveredRead(unit, unit);
    expect(policy.noteRecoveredRead(1, 5000)).toBe(true);
    expect(policy.noteRecoveredRead(0, 5000)).toBe(false);
  });
});
