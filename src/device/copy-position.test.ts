import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { slotOf } from '../format/superblock.js';
import { copiedSet, copyAll, REPLACEMENT_DISK, recorded, replaced } from './testing/copied-set.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import { original, superblockOnMedium, times, touchesMetadata } from './testing/numbered-device.js';
import { BLOCK_BYTES } from './testing/workload.js';

const MIB = 1 << 20;
const PART_BLOCKS = MIB / BLOCK_BYTES;
const { EIO } = ERRNO;
const SETTLED_MS = 25_000;

function powerCut(rig: DeviceOnMemory): void {
  rig.powerCut(() => false);
}

describe('what is recorded of a set that is copied to another disk', () => {
  it.each([
    ['a kill', (rig: DeviceOnMemory) => rig.kill()],
    ['a power cut', powerCut],
    ['a stop in order', (rig: DeviceOnMemory) => rig.close()],
  ])('spares copying it again after %s', (_name, end) => {
    const { rig, client } = copiedSet();
    expect(recorded(rig)).toBe(0b1111);
    end(rig);
    rig.open();
    let writes = 0;
    rig.stores[REPLACEMENT_DISK]!.judge = ({ kind }) => {
      if (kind === 'write') writes += 1;
      return 0;
    };
    expect(copyAll(rig)).toMatchObject({ beginning: 'position', beginningBytes: 4 * MIB });
    expect(writes).toBe(0);
    expect(rig.cutOver(REPLACEMENT_DISK)).toBe(true);
    rig.open();
    expect(recorded(rig)).toBeUndefined();
    expect(client.read(0, 100)).toEqual(original(0, 100));
  });

  it('does not speak of a part that was written and not recorded since', () => {
    const { rig, client } = copiedSet();
    expect(client.write(PART_BLOCKS + 8, 8, 9000)).toBe(0);
    expect(recorded(rig)).toBe(0b1101);
    powerCut(rig);
    rig.open();
    expect(client.read(PART_BLOCKS + 8, 8)).toEqual(original(PART_BLOCKS + 8, 8));
    expect(copyAll(rig)).toMatchObject({ beginning: 'position', beginningBytes: 3 * MIB });
    expect(replaced(rig, PART_BLOCKS, 32)).toEqual(original(PART_BLOCKS, 32));
  });

  it.each([
    'write',
    'zero',
    'discard',
  ] as const)('is taken back by a %s while the other disk is away', (operation) => {
    const { rig, client } = copiedSet();
    rig.kill();
    rig.open();
    if (operation === 'write') expect(client.write(8, 8, 9000)).toBe(0);
    else if (operation === 'zero') expect(client.zero(8, 8)).toBe(0);
    else expect(client.discard(8, 8)).toBe(0);
    expect(recorded(rig)).toBe(0b1110);
    expect(rig.device!.context.filter.isPlain(0, MIB)).toBe(true);
    expect(copyAll(rig)).toMatchObject({ beginning: 'position', beginningBytes: 3 * MIB });
    expect(replaced(rig, 0, 32)).toEqual(client.read(0, 32));
  });

  it('is recorded again when nothing was written for a minute, and both disks have flushed', () => {
    const { rig, client } = copiedSet();
    client.write(8, 8, 9000);
    rig.scheduler.advance(SETTLED_MS);
    expect(recorded(rig)).toBe(0b1110);
    rig.scheduler.advance(60_000);
    expect(recorded(rig)).toBe(0b1111);
    powerCut(rig);
    rig.open();
    expect(client.read(8, 8)).toEqual(times(8, 9000));
    expect(copyAll(rig)).toMatchObject({ beginningBytes: 4 * MIB });
    expect(replaced(rig, 8, 8)).toEqual(times(8, 9000));
  });

  it('counts for nothing where the other disk holds something else, however little', () => {
    const { rig } = copiedSet();
    rig.kill();
    rig.disks[REPLACEMENT_DISK]!.contents.fill(7, 3 * MIB + 5, 3 * MIB + 6);
    rig.open();
    expect(copyAll(rig)).toMatchObject({ beginning: 'differs', beginningBytes: 0 });
    expect(replaced(rig, 3 * PART_BLOCKS, 32)).toEqual(original(3 * PART_BLOCKS, 32));
  });

  it('leaves out what the other disk does not give any more', () => {
    const { rig } = copiedSet();
    rig.kill();
    rig.open();
    rig.stores[REPLACEMENT_DISK]!.judge = ({ kind, offsetBytes }) =>
      kind === 'read' && offsetBytes < MIB ? ERRNO.ENODATA : 0;
    expect(copyAll(rig)).toMatchObject({ beginning: 'position', beginningBytes: 3 * MIB });
  });

  it('counts for nothing in another copying, nor after a forced start', () => {
    const { rig } = copiedSet();
    rig.kill();
    rig.open();
    expect(copyAll(rig, new Uint8Array(16).fill(8))).toMatchObject({ beginning: 'start' });
    rig.kill();
    rig.open({ force: true });
    expect(recorded(rig)).toBeUndefined();
    expect(copyAll(rig, new Uint8Array(16).fill(8))).toMatchObject({ beginning: 'start' });
  });

  it('is dropped when the copying is cancelled, or has failed', () => {
    const { rig, client } = copiedSet();
    rig.device!.replacement.cancel(() => {});
    rig.scheduler.advance(1000);
    expect(recorded(rig)).toBeUndefined();
    expect(rig.device!.context.filter.isPlain(0, 4 * MIB)).toBe(true);
    copyAll(rig);
    rig.stores[REPLACEMENT_DISK]!.judge = ({ kind }) => (kind === 'write' ? EIO : 0);
    expect(client.write(8, 8, 9000)).toBe(0);
    rig.scheduler.advance(1000);
    expect(recorded(rig)).toBeUndefined();
  });

  it('is dropped when a copying is cancelled that no process has gone on with', () => {
    const { rig } = copiedSet();
    rig.close();
    rig.open();
    let isDone = false;
    rig.device!.replacement.cancel(() => {
      isDone = true;
    });
    rig.scheduler.advance(1000);
    expect([isDone, recorded(rig)]).toEqual([true, undefined]);
    expect(rig.device!.context.filter.isPlain(0, 4 * MIB)).toBe(true);
  });

  it('is not recorded before the other disk has flushed it', () => {
    const { rig, client } = copiedSet();
    client.write(8, 8, 9000);
    const atFlush: unknown[] = [];
    rig.stores[REPLACEMENT_DISK]!.judge = ({ kind }) => {
      if (kind !== 'flush') return 0;
      atFlush.push(recorded(rig));
      return EIO;
    };
    rig.scheduler.advance(100_000);
    expect(atFlush).toEqual([0b1110]);
    expect(rig.device!.replacement.progress!.state).toBe('failed');
    expect(recorded(rig)).toBeUndefined();
  });

  it('does not speak of what is written while both disks are flushed for it', () => {
    const { rig, client } = copiedSet();
    client.write(8, 8, 9000);
    let flushes = 0;
    rig.stores[REPLACEMENT_DISK]!.judge = ({ kind }) => {
      if (kind === 'flush' && flushes++ === 0) client.beginWrite(16, 8, 9001, false, 0);
      return 0;
    };
    rig.scheduler.advance(85_000);
    expect([flushes, recorded(rig)]).toEqual([1, 0b1110]);
    rig.scheduler.advance(SETTLED_MS + 60_000);
    expect([flushes, recorded(rig)]).toEqual([2, 0b1111]);
  });

  it('is given up, rather than a write, where no spare takes it', () => {
    const { rig, client } = copiedSet();
    const { superblock } = rig.device!.metadata;
    rig.stores[1]!.judge = (io) => (io.kind === 'write' && touchesMetadata(io, superblock, 1) ? EIO : 0);
    expect(client.write(8, 8, 9000)).toBe(0);
    expect(rig.events).toContainEqual({ kind: 'copyPositionLost' });
    expect(replaced(rig, 8, 8)).toEqual(times(8, 9000));
    expect(client.write(MIB / 512, 8, 9001)).toBe(0);
    rig.stores[1]!.judge = () => 0;
    rig.kill();
    rig.open();
    // Who copies was told to begin anew, under another number.
    expect(copyAll(rig, new Uint8Array(16).fill(8))).toMatchObject({ beginning: 'start' });
    expect(replaced(rig, 8, 8)).toEqual(times(8, 9000));
  });

  it('speaks of no changed part even if the last superblock is gone, in all copies', () => {
    const { rig, client } = copiedSet({ copies: 1 });
    client.write(8, 8, 9000);
    rig.kill();
    const set = rig.assemble();
    const { superblock } = set.ok ? set.value.choice : expect.fail('it is there');
    superblockOnMedium(rig, superblock, 0, slotOf(superblock.sequence)).fill(0);
    rig.open();
    expect(recorded(rig)).toBe(0b1110);
  });
});
