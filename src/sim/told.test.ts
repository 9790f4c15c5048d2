import { describe, expect, it } from 'vitest';
import type { DeviceEvent } from '../device/device-event.js';
import { Counter, newCounters } from '../engine/counters.js';
import type { MappingOnDisk, SetOnDisk } from './metadata-reader.js';
import { Told } from './told.js';

const MAPPING: MappingOnDisk = { spareUnit: 7, mainUnit: 3, lostMask: 0, moveCount: 0, reason: 0 };
const REMAPPED: DeviceEvent = { kind: 'remapped', mainUnit: 3, spareUnit: 7, lostMask: 2, reason: 0 };

/** What is checked when `events` were heard since a start with `found`, and the disks say `now`. */
function checking(found: SetOnDisk, events: readonly DeviceEvent[], now: SetOnDisk): () => void {
  const told = new Told();
  const counters = newCounters();
  told.newLife();
  told.started(found, counters);
  counters[Counter.blocksLost] = events.filter(({ kind }) => kind === 'lost').length;
  counters[Counter.spareUnitsRetired] = events.filter(({ kind }) => kind === 'spareUnitRetired').length;
  for (const event of events) told.hear(event);
  return () => told.check(now, counters);
}

function setWith(mappings: readonly MappingOnDisk[], retired: readonly number[] = []): SetOnDisk {
  return { mappings, retired } as SetOnDisk;
}

describe('what a process has told of its map', () => {
  it('need not be what it has found', () => {
    const found = setWith([{ ...MAPPING, lostMask: 2 }], [9]);
    expect(checking(found, [], found)).not.toThrow();
  });

  it('is that a unit has moved', () => {
    const now = setWith([MAPPING]);
    expect(checking(setWith([]), [], now)).toThrow('nobody was told that unit 3 is in spare unit 7');
    expect(checking(setWith([]), [REMAPPED], now)).not.toThrow();
  });

  it('is that a block is lost, in so many words', () => {
    const now = setWith([{ ...MAPPING, lostMask: 2 }]);
    expect(checking(setWith([MAPPING]), [REMAPPED], now)).toThrow('blocks of unit 3 are lost: 10');
    const lost = { kind: 'lost', mainUnit: 3, lostMask: 2 } as const;
    expect(checking(setWith([MAPPING]), [REMAPPED, lost], now)).not.toThrow();
  });

  it('is that a place is bad, or that its unit has left it', () => {
    const now = setWith([], [9]);
    expect(checking(setWith([]), [], now)).toThrow('spare unit 9 is retired');
    expect(checking(setWith([]), [{ kind: 'spareUnitRetired', spareUnit: 9 }], now)).not.toThrow();
    const before = setWith([{ ...MAPPING, spareUnit: 9 }]);
    expect(checking(before, [REMAPPED], setWith([MAPPING], [9]))).not.toThrow();
  });

  it('is why it moved, which does not contradict itself', () => {
    const now = setWith([{ ...MAPPING, reason: 1 }]);
    expect(checking(setWith([]), [REMAPPED], now)).toThrow('was said to move for reason 0, not 1');
    expect(() => checking(setWith([]), [{ ...REMAPPED, reason: 3 }], now)).toThrow('is said to be recovered');
  });

  it('decides nothing once a commit has failed', () => {
    expect(checking(setWith([]), [{ kind: 'commitFailed', errno: 5 }], setWith([MAPPING]))).not.toThrow();
  });
});
