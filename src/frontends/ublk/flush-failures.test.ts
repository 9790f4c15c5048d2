import { describe, expect, it } from 'vitest';
import { FAILED_EARLIER, FlushFailures, hasUntold } from './flush-failures.js';

describe('failed flushes of a block device', () => {
  it('that a process has left untold are told by the next one, once (found by the simulator, seed 160)', () => {
    const told = new Int32Array(1);
    const before = new FlushFailures(told);
    expect(before.mustFail(before.told, 0)).toBe(false);
    expect([hasUntold(told, 0), hasUntold(told, 1)]).toEqual([false, true]);
    const toldByNext = new Int32Array([FAILED_EARLIER]);
    const next = new FlushFailures(toldByNext);
    expect(hasUntold(toldByNext, 0)).toBe(true);
    expect([next.mustFail(next.told, 0), next.mustFail(next.told, 0)]).toEqual([true, false]);
    expect(hasUntold(toldByNext, 0)).toBe(false);
  });

  it('are told by all flushes that are under way together: the answer of another one is not heard yet (seed 2795828011)', () => {
    const failures = new FlushFailures(new Int32Array([FAILED_EARLIER]));
    const [one, other] = [failures.told, failures.told];
    expect([failures.mustFail(one, 0), failures.mustFail(other, 0)]).toEqual([true, true]);
    expect(failures.mustFail(failures.told, 0)).toBe(false);
  });
});
