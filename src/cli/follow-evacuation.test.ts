import { describe, expect, it } from 'vitest';
import { type Evacuation, followEvacuation, progressText } from './follow-evacuation.js';
import { evacuationReport } from './testing/evacuation-report.js';
import { recordingOutput } from './testing/fake-context.js';
import { INTERRUPTED } from './unless-interrupted.js';

const MIB = 1 << 20;
const NEVER = new Promise<never>(() => {});

/** One report after the other. */
function clientOf(reports: readonly (Evacuation | null)[]): { evacuation(): Promise<Evacuation | null> } {
  let next = 0;
  return { evacuation: async () => reports[Math.min(next++, reports.length - 1)]! };
}

describe('waiting for a set to be copied', () => {
  it('ends with what was copied, and shows a person how far it is', async () => {
    const output = { ...recordingOutput(), isTerminal: true };
    let nowMs = 0;
    const reports = [
      evacuationReport({}),
      evacuationReport({ copiedBytes: 50 * MIB }),
      evacuationReport({ state: 'copied' }),
    ];
    const done = await followEvacuation(clientOf(reports), output, NEVER, () => (nowMs += 5000), 0);
    expect(done?.state).toBe('copied');
    expect(output.text).toContain('50 MiB of 100 MiB (50 %), 5 MiB/s, 10 s left');
  });

  it('ends with how far it is when it is interrupted, also while nobody answers', async () => {
    const client = clientOf([evacuationReport({ copiedBytes: 7 })]);
    const interrupted = followEvacuation(client, recordingOutput(), Promise.resolve(INTERRUPTED), () => 0, 0);
    expect(await interrupted).toMatchObject({ state: 'copying', copiedBytes: 7 });
    const looks = [Promise.resolve(evacuationReport({ copiedBytes: 8 })), NEVER];
    const silent = { evacuation: () => looks.shift()! };
    const later = new Promise<typeof INTERRUPTED>((resolve) => setTimeout(resolve, 0, INTERRUPTED));
    expect(await followEvacuation(silent, recordingOutput(), later, () => 0, 0)).toMatchObject({
      copiedBytes: 8,
    });
  });

  it.each([
    [evacuationReport({ state: 'failed', problem: '/dev/sdz failed' }), 'io', '/dev/sdz failed'],
    [evacuationReport({ state: 'incomplete', problem: '3 unit(s)' }), 'io', '3 unit(s)'],
    [evacuationReport({ state: 'cancelled' }), 'refused', 'somebody has cancelled it'],
    [null, 'device', 'the copying rests'],
  ])('that ends otherwise is a failure', async (last, failure, message) => {
    const client = clientOf([evacuationReport({}), last]);
    await expect(followEvacuation(client, recordingOutput(), NEVER, () => 0, 0)).rejects.toMatchObject({
      failure,
      message: expect.stringContaining(message),
    });
  });
});

describe('how far it is', () => {
  it('is said without a rate before something is copied, while it waits, and with what it is at', () => {
    expect(progressText(evacuationReport({}), 0, 0)).toBe('0 bytes of 100 MiB (0 %)');
    expect(progressText(evacuationReport({ isWaiting: true }), MIB, 1000)).toContain('waiting for a device');
    const thorough = evacuationReport({ pass: 'thorough', copiedBytes: 99 * MIB });
    expect(progressText(thorough, MIB, 1000)).toMatch(/1 s left, block by block where it is bad$/);
    expect(progressText(evacuationReport({ copiedBytes: MIB }), MIB, 100_000)).toContain('3 h left');
  });
});
