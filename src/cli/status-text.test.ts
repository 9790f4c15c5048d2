import { describe, expect, it } from 'vitest';
import type { DeviceResource } from '../control/schema/device.js';
import { statusText } from './status-text.js';
import { deviceResource } from './testing/device-resource.js';

const MAIN_GONE = {
  path: '/dev/sda',
  spareIndex: null,
  reason: 'unplugged',
  sinceSeconds: 1_700_000_000,
  readsPass: false,
  heldRequests: 0,
  requestsWait: true,
};

function textWhileCopying(gone: DeviceResource['gone']): string {
  const evacuation = {
    path: '/dev/sdc',
    state: 'copying',
    pass: 'forward',
    copiedBytes: 4 << 20,
    everCopiedBytes: 4 << 20,
    totalBytes: 8 << 20,
    isWaiting: true,
    isPaused: false,
    beginning: 'start',
    beginningBytes: 0,
    unreadableUnits: 0,
    firstUnreadableSector: null,
    unitsWithLostBlocks: 0,
    problem: null,
  } as const;
  const out = { isTerminal: false, hasColour: false, columns: 1000, write: () => undefined };
  return statusText(deviceResource({ gone, evacuation }), [], out);
}

describe('the spares of a set', () => {
  const text = (changes: Partial<DeviceResource>): string => {
    const out = { isTerminal: false, hasColour: false, columns: 1000, write: () => undefined };
    return statusText(deviceResource(changes), [], out);
  };

  it.each([
    ['yes', {}],
    ['no, it is full', { takingNone: [{ path: 's', spareIndex: 0, freeUnits: 0, refusal: null }] }],
    [
      'no, it refuses writes (ENOSPC)',
      { takingNone: [{ path: 's', spareIndex: 0, freeUnits: 9, refusal: 'ENOSPC' }] },
    ],
    ['no, it does not answer', { gone: [{ ...MAIN_GONE, spareIndex: 0 }] }],
  ])('take units: %s', (told, changes) => {
    expect(text(changes)).toMatch(new RegExp(`TAKES UNITS\\n.* ${told.replace(/[()]/g, '.')}\\n`));
  });
});

describe('a set that waits while it is copied', () => {
  it('says how to go on without the main device, where that is what is gone', () => {
    expect(textWhileCopying([MAIN_GONE])).toContain('--accept-loss');
  });

  it.each([
    ['a spare is gone', { ...MAIN_GONE, spareIndex: 0 }],
    ['the main device can be read', { ...MAIN_GONE, readsPass: true }],
  ])('does not where %s', (_name, gone) => {
    expect(textWhileCopying([gone])).not.toContain('--accept-loss');
  });
});
