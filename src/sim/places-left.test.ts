import { describe, expect, it } from 'vitest';
import type { DeviceEvent } from '../device/device-event.js';
import { DescriptorReason } from '../format/descriptor-page.js';
import type { Ledger } from './ledger.js';
import type { Machine } from './machine.js';
import type { SetOnDisk } from './metadata-reader.js';
import { PlacesLeft } from './places-left.js';

const MOVED: DeviceEvent = {
  ...{ kind: 'remapped', mainUnit: 3, spareUnit: 8, lostMask: 0 },
  reason: DescriptorReason.spareError,
};

/** What is heard in a process that has found unit 3 in spare unit 7, of which a block has failed or not. */
function hearing(hasFailed: boolean, events: readonly DeviceEvent[]): () => void {
  const ledger = { hasFailedOrShifted: () => hasFailed } as unknown as Ledger;
  const left = new PlacesLeft({ spares: [{}] } as unknown as Machine, ledger);
  const mapping = { spareUnit: 7, mainUnit: 3, lostMask: 0, moveCount: 0, reason: 1 };
  const superblock = { spares: [{ firstUnit: 0 }], unitBytes: 4096 };
  left.started({ superblock, mappings: [mapping] } as unknown as SetOnDisk);
  return () => {
    for (const event of events) left.hear(event);
  };
}

describe('a unit that leaves its place for a bad one', () => {
  it('needs a block of it that has failed', () => {
    expect(hearing(false, [MOVED])).toThrow('no block of that ever failed');
    expect(hearing(true, [MOVED])).not.toThrow();
  });

  it('needs none where it was on the main device, or where a commit has failed', () => {
    const givenBack = { kind: 'givenBack', mainUnit: 3, spareUnit: 7 } as const;
    expect(hearing(false, [givenBack, MOVED])).not.toThrow();
    expect(hearing(false, [{ kind: 'commitFailed', errno: 5 }, MOVED])).not.toThrow();
  });
});
