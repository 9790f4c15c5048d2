import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { Counter } from './counters.js';
import { MAIN } from './effect.js';
import { RETRY_DELAYS_MS } from './error-policy.js';
import { type Attempt, transferWithRetries } from './retry.js';
import { exampleContext } from './testing/example-context.js';
import { runProcedure } from './testing/run-procedure.js';

/** One transfer whose I/Os have these results; the last one stays. `delaysMs` are the pauses that were made. */
function attempt(
  kind: 'read' | 'write',
  results: readonly number[],
  mediaRetries = true,
  target = MAIN,
): { attempt: Attempt; ioCount: number; delaysMs: number[]; counters: Float64Array } {
  const context = exampleContext();
  const effect = { kind, target, offsetBytes: 0, lengthBytes: 512, memoryOffset: 0 } as const;
  let ioCount = 0;
  const delaysMs: number[] = [];
  const { value } = runProcedure(transferWithRetries(context, effect, mediaRetries), (asked) => {
    if (asked.kind === 'delay') return delaysMs.push(asked.delayMs);
    ioCount += 1;
    return results[Math.min(ioCount, results.length) - 1]!;
  });
  return { attempt: value, ioCount, delaysMs, counters: context.counters };
}

describe('a transfer with retries', () => {
  it('does no more than it must when all is well', () => {
    expect(attempt('read', [512])).toMatchObject({ attempt: { ok: true, after: undefined }, ioCount: 1 });
  });

  it('waits out a transient error as the policy says, and gives up in the end', () => {
    const outcome = attempt('write', [-ERRNO.EAGAIN], false);
    expect(outcome.attempt).toEqual({ ok: false, errno: ERRNO.EAGAIN, errorClass: 'transient' });
    expect(outcome.delaysMs).toEqual(RETRY_DELAYS_MS.transient);
    expect(outcome.ioCount).toBe(RETRY_DELAYS_MS.transient.length + 1);
  });

  it('succeeds after a transient error, and says what there was', () => {
    const outcome = attempt('read', [-ERRNO.EBUSY, -ERRNO.EBUSY, 512]);
    expect(outcome).toMatchObject({ attempt: { ok: true, after: 'transient' }, delaysMs: [1, 2] });
  });

  it('reads a bad sector again, but leaves that to the caller where it is asked to', () => {
    const patient = attempt('read', [-ERRNO.ENODATA]);
    expect(patient.attempt).toEqual({ ok: false, errno: ERRNO.ENODATA, errorClass: 'media' });
    expect(patient.ioCount).toBe(1 + RETRY_DELAYS_MS.mediaRead.length);
    expect(attempt('read', [-ERRNO.ENODATA], false).ioCount).toBe(1);
  });

  it('writes a bad sector once more, without a pause', () => {
    const outcome = attempt('write', [-ERRNO.EIO]);
    expect([outcome.ioCount, outcome.delaysMs]).toEqual([2, []]);
  });

  it.each([
    'ENODEV',
    'ENOSPC',
    'EOPNOTSUPP',
  ] as const)('does not repeat a write that failed with %s', (name) => {
    expect(attempt('write', [-ERRNO[name]]).ioCount).toBe(1);
  });

  it('counts failures by device and direction, and retries', () => {
    const onMain = attempt('read', [-ERRNO.ENODATA, -ERRNO.ENODATA, 512]).counters;
    expect([onMain[Counter.mainReadErrors], onMain[Counter.retries]]).toEqual([2, 2]);
    const onSpare = attempt('write', [-ERRNO.EIO], true, 1).counters;
    expect([onSpare[Counter.spareWriteErrors], onSpare[Counter.mainWriteErrors]]).toEqual([2, 0]);
  });
});
