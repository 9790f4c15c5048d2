import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { numberedDevice, times, touchesMetadata } from './testing/numbered-device.js';

const { EIO, ENOLINK } = ERRNO;

const BAD_START = 'main:\n  - { sectors: "0-127", on: [write], error: ENODATA }';

describe('a spare that fails as a whole', () => {
  it('leaves its work to a healthy one, and not one of its units is retired', () => {
    const { rig, client } = numberedDevice({ spareBytes: [2 << 20, 2 << 20], faults: BAD_START });
    const { context } = rig.open();
    rig.stores[1]!.judge = () => EIO;
    for (let unit = 0; unit < 12; unit += 1) {
      expect(client.write(unit * 8, 8, 5000 + unit)).toBe(0);
      expect(context.shape.targetOf(context.table.find(unit))).toBe(2);
    }
    expect(context.table.retiredCount).toBe(0);
    rig.stores[1]!.judge = () => 0;
    rig.kill();
    rig.open();
    expect(rig.device!.context.table.retiredCount).toBe(0);
    for (let unit = 0; unit < 12; unit += 1) expect(client.read(unit * 8, 8)).toEqual(times(8, 5000 + unit));
  });

  it('that was away for a moment takes the write all the same: the application sees nothing (P2)', () => {
    const { rig, client } = numberedDevice({ faults: BAD_START });
    const { context, metadata } = rig.open();
    let failures = 1;
    rig.stores[1]!.judge = (io) =>
      io.kind === 'write' && !touchesMetadata(io, metadata.superblock, 1) && failures-- > 0 ? ENOLINK : 0;
    const freeBefore = context.allocator.freeCount;
    expect(client.write(0, 8, 5000)).toBe(0);
    expect(failures).toBeLessThan(0);
    expect(context.allocator.freeCount).toBe(freeBefore - 1);
    expect(client.read(0, 8)).toEqual(times(8, 5000));
    expect(context.table.retiredCount).toBe(0);
  });

  it('is written to again as soon as it can be, if no other has room', () => {
    const { rig, client } = numberedDevice({ faults: BAD_START });
    const { context, metadata } = rig.open();
    let isAway = true;
    rig.stores[1]!.judge = (io) => (isAway && !touchesMetadata(io, metadata.superblock, 1) ? ENOLINK : 0);
    const freeBefore = context.allocator.freeCount;
    expect(client.write(0, 8, 5000)).toBe(EIO);
    expect(context.allocator.freeCount).toBe(freeBefore);
    expect(client.write(8, 8, 5001)).toBe(EIO);
    isAway = false;
    expect(client.write(0, 8, 5002)).toBe(0);
    expect(client.write(8, 8, 5003)).toBe(0);
    expect(client.read(0, 16)).toEqual([...times(8, 5002), ...times(8, 5003)]);
    expect(rig.events.map(({ kind }) => kind)).not.toContain('spareExhausted');
    expect(context.table.retiredCount).toBe(0);
  });

  it('that answers, but refuses sixteen units in a row, is left alone for its pause', () => {
    const { rig, client } = numberedDevice({ faults: BAD_START });
    const { context, metadata } = rig.open();
    rig.stores[1]!.judge = (io) =>
      io.kind === 'write' && !touchesMetadata(io, metadata.superblock, 1) ? EIO : 0;
    const freeBefore = context.allocator.freeCount;
    expect(client.write(0, 8, 5000)).toBe(EIO);
    expect(client.write(8, 8, 5001)).toBe(EIO);
    expect(freeBefore - context.allocator.freeCount, 'used up').toBe(16);
    rig.stores[1]!.judge = () => 0;
    expect(client.write(8, 8, 5002)).toBe(EIO);
    rig.scheduler.advance(2000);
    expect(client.write(8, 8, 5003)).toBe(0);
  });
});
