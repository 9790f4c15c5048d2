import { describe, expect, it } from 'vitest';
import { type Evacuation, followEvacuation, progressText } from './follow-evacuation.js';
import { recordingOutput } from './testing/fake-context.js';

const MIB = 1 << 20;
const NEVER = new Promise<never>(() => {});

function report(changes: Partial<Evacuation>): Evacuation {
  return {
    path: '/dev/sdz',
    state: 'copying',
    pass: 'forward',
    copiedBytes: 0,
    everCopiedBytes: 0,
    totalBytes: 100 * MIB,
    isWaiting: false,
    isPaused: false,
    unreadableUnits: 0,
    firstUnreadableSector: null,
    unitsWithLostBlocks: 0,
    problem: null,
    ...changes,
  };
}

/** One report after the other. */
function clientOf(reports: readonly (Evacuation | null)[]): { evacuation(): Promise<Evacuation | null> } {
  let next = 0;
  return { evacuation: async () => reports[Math.min(next++, reports.length - 1)]! };
}

describe('waiting for a set to be copied', () => {
  it('ends with what was copied, and shows a person how far it is', async () => {
    const output = { ...recordingOutput(), isTerminal: true };
    let nowMs = 0;
    const reports = [report({}), report({ copiedBytes: 50 * MIB }), report({ state: 'copied' })];
    const done = await followEvacuation(clientOf(reports), output, NEVER, () => (nowMs += 5000), 0);
    expect(done?.state).toBe('copied');
    expect(output.text).toContain('50 MiB of 100 MiB (50 %), 5 MiB/s, 10 s left');
  });

  it('ends without anything when it is interrupted, and the copying goes on', async () => {
    const client = clientOf([report({})]);
    expect(await followEvacuation(client, recordingOutput(), Promise.resolve(), () => 0, 0)).toBeUndefined();
  });

  it.each([
    [report({ state: 'failed', problem: '/dev/sdz failed' }), 'io', '/dev/sdz failed'],
    [report({ state: 'incomplete', problem: '3 unit(s)' }), 'io', '3 unit(s)'],
    [report({ state: 'cancelled' }), 'refused', 'somebody has cancelled it'],
    [null, 'device', 'the copying rests'],
  ])('that ends otherwise is a failure', async (last, failure, message) => {
    const client = clientOf([report({}), last]);
    await expect(followEvacuation(client, recordingOutput(), NEVER, () => 0, 0)).rejects.toMatchObject({
      failure,
      message: expect.stringContaining(message),
    });
  });
});

describe('how far it is', () => {
  it('is said without a rate before something is copied, while it waits, and with what it is at', () => {
    expect(progressText(report({}), 0, 0)).toBe('0 bytes of 100 MiB (0 %)');
    expect(progressText(report({ isWaiting: true }), MIB, 1000)).toContain('waiting for a device');
    const thorough = report({ pass: 'thorough', copiedBytes: 99 * MIB });
    expect(progressText(thorough, MIB, 1000)).toMatch(/1 s left, block by block where it is bad$/);
    expect(progressText(report({ copiedBytes: MIB }), MIB, 100_000)).toContain('3 h left');
  });
});
