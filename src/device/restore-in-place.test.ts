import { describe, expect, it } from 'vitest';
import { restoreInPlace } from './restore-in-place.js';
import { dumpOf } from './testing/dump-of.js';
import { parsedDump } from './testing/parsed-dump.js';
import { usedDevice } from './testing/used-device.js';

describe('a restore in place that the power cuts off', () => {
  it('leaves a set that was stopped cleanly one that starts, with the mark if it has ended (found by the simulator)', () => {
    for (let cutAfter = 1; cutAfter < 200; cutAfter += cutAfter < 20 ? 1 : 7) {
      const { rig } = usedDevice({ spareBytes: [2 << 20], copies: 3, volatileCaches: true });
      rig.open();
      rig.close();
      const { set } = rig.survey();
      const text = dumpOf(rig).replaceAll('errors=0', 'errors=9');
      rig.dieAfterWrites(cutAfter);
      const errno = rig.writeOffline(set!, (work) => restoreInPlace(work, set!, parsedDump(text)));
      // Every page that is not flushed is torn.
      rig.powerCut((_target, sector) => sector % 8 === 0);
      expect(rig.assemble().ok, `cut after ${cutAfter} writes`).toBe(true);
      if (errno !== 0) continue;
      expect(rig.survey().set!.choice.superblock.cleanShutdown).toBe(true);
      expect(dumpOf(rig)).toBe(text);
      return;
    }
    expect.unreachable('it ends at last');
  });
});
