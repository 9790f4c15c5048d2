import { describe, expect, it } from 'vitest';
import { xorshift } from '../../test/support/xorshift.js';
import { assert } from '../base/assert.js';
import { ERRNO } from '../base/errno.js';
import {
  type Descriptor,
  DescriptorState,
  emptyDescriptor,
  pageSequence,
  readDescriptor,
  writeDescriptor,
} from '../format/descriptor-page.js';
import { descriptorOffsetBytes, noteOffsetBytes } from '../format/layout.js';
import { seal } from '../format/sealed-block.js';
import type { Superblock } from '../format/superblock.js';
import { entriesOf } from './replace-map.js';
import type { SetSurvey } from './survey-set.js';
import { stateOf } from './survey-set.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import { ImageRunner } from './testing/image-runner.js';
import {
  copyOnMedium,
  numberedDevice,
  pageOnMedium,
  superblockOnMedium,
  times,
} from './testing/numbered-device.js';
import type { TestClient } from './testing/test-client.js';

const HOUR_MS = 3_600_000;

/** In use, with units 0 to 19 on the spare. */
function inUse(copies = 5): { rig: DeviceOnMemory; client: TestClient; superblock: Superblock; map: string } {
  const { rig, client } = numberedDevice({
    copies,
    faults: 'main:\n  - { sectors: "0-799", on: [read, write], error: ENODATA }',
  });
  const device = rig.open();
  for (let unit = 0; unit < 20; unit += 1) assert(client.write(unit * 8, 8, 5000 + unit) === 0, 'moves');
  return { rig, client, superblock: device.metadata.superblock, map: mapNow(rig) };
}

/** The media as they are, past the device at work. */
function surveyNow(rig: DeviceOnMemory): SetSurvey {
  return new ImageRunner().survey([rig.disks[1]!.contents]);
}

function mapNow(rig: DeviceOnMemory): string {
  const { set } = surveyNow(rig);
  assert(set !== undefined, 'there is a set');
  return JSON.stringify(entriesOf(set.table, set.choice.superblock.spares));
}

function newestOf(rig: DeviceOnMemory, superblock: Superblock, copy: number): Uint8Array {
  const [one, other] = [0, 1].map((slot) => pageOnMedium(rig, superblock, copy, 0, slot)) as [
    Uint8Array,
    Uint8Array,
  ];
  return pageSequence(one) > pageSequence(other) ? one : other;
}

/** The page stays whole, and says something else of this unit. */
function rewrite(page: Uint8Array, spareUnit: number, change: Partial<Descriptor>): void {
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  const descriptor = emptyDescriptor();
  readDescriptor(view, descriptorOffsetBytes(spareUnit), descriptor);
  writeDescriptor(view, descriptorOffsetBytes(spareUnit), { ...descriptor, ...change });
  seal(page);
}

/** One whole turn; answers the blocks that were wrong. */
function scrub(rig: DeviceOnMemory): number {
  const before = rig.events.length;
  rig.device!.scrubMetadataEvery(HOUR_MS);
  rig.scheduler.advance(HOUR_MS + 60_000);
  const events = rig.events.slice(before).filter((event) => event.kind === 'metadataScrubbed');
  assert(events.length === 1 && events[0]!.kind === 'metadataScrubbed', 'is told once');
  return events[0]!.repairedBlocks;
}

const DAMAGE: readonly [string, (parts: ReturnType<typeof inUse>) => void][] = [
  ['a copy that was zeroed', ({ rig, superblock }) => copyOnMedium(rig, superblock, 1).fill(0)],
  [
    'all copies but one',
    ({ rig, superblock }) => {
      for (const copy of [0, 1, 3, 4]) copyOnMedium(rig, superblock, copy).fill(0xa5);
    },
  ],
  [
    'every copy',
    ({ rig, superblock }) => {
      for (const copy of superblock.copies.keys()) copyOnMedium(rig, superblock, copy).fill(0x11);
    },
  ],
  ['a superblock slot', ({ rig, superblock }) => superblockOnMedium(rig, superblock, 2, 0).fill(1, 99)],
  [
    'the superblock of another copy, which was written there instead',
    ({ rig, superblock }) =>
      [0, 1].map((slot) =>
        superblockOnMedium(rig, superblock, 2, slot).set(superblockOnMedium(rig, superblock, 1, slot)),
      ),
  ],
  [
    'a superblock of a newer program beside the current one',
    ({ rig, superblock }) => {
      const slot = 1 - (superblock.sequence % 2);
      const block = superblockOnMedium(rig, superblock, 3, slot);
      block[12] = 2;
      seal(block);
    },
  ],
  [
    'a superblock that says something else under its number',
    ({ rig, superblock }) => {
      const block = superblockOnMedium(rig, superblock, 3, superblock.sequence % 2);
      block[136]! ^= 1;
      seal(block);
    },
  ],
  ['a page', ({ rig, superblock }) => pageOnMedium(rig, superblock, 3, 1, 1).fill(1, 99)],
  [
    'a note',
    ({ rig, superblock }) =>
      rig.disks[1]!.contents.fill(
        0,
        noteOffsetBytes(superblock.copies[4]!) + 5,
        noteOffsetBytes(superblock.copies[4]!) + 50,
      ),
  ],
];

describe('comparing all copies while the set is in use', () => {
  it('finds nothing, and changes nothing, where nothing is wrong', () => {
    const { rig, map } = inUse();
    const { sequence } = rig.device!.metadata.superblock;
    expect(scrub(rig)).toBe(0);
    expect(rig.device!.metadata.superblock.sequence).toBe(sequence);
    expect(mapNow(rig)).toBe(map);
  });

  it.each(DAMAGE)('repairs %s, counts it, and finds nothing the next time', (_what, damage) => {
    const parts = inUse();
    damage(parts);
    const { rig, map } = parts;
    const found = scrub(rig);
    expect(found).toBeGreaterThan(0);
    rig.scheduler.advance(HOUR_MS + 60_000);
    const turns = rig.events.filter((event) => event.kind === 'metadataScrubbed');
    expect(turns.map((turn) => turn.repairedBlocks)).toEqual([found, 0]);
    expect(stateOf(surveyNow(rig))).toBe('clean');
    expect(mapNow(rig)).toBe(map);
  });

  it.each([1, 2, 5])('finds a page that is whole and says something else on all of %i copies', (copies) => {
    const { rig, superblock, map } = inUse(copies);
    const used = rig.device!.context.table.find(0);
    const changes: readonly [number, Partial<Descriptor>][] = [
      [used, { state: DescriptorState.free, mainUnit: 0 }],
      [used, { lostMask: 6 }],
      [used + 30, { state: DescriptorState.retired }],
    ];
    for (const [spareUnit, change] of changes) {
      for (const copy of superblock.copies.keys())
        rewrite(newestOf(rig, superblock, copy), spareUnit, change);
      expect(scrub(rig)).toBe(1);
      expect([scrub(rig), stateOf(surveyNow(rig)), mapNow(rig)]).toEqual([0, 'clean', map]);
    }
  });

  it('leaves no page older than it was written, with relocations at the same time', () => {
    for (let seed = 1; seed <= 5; seed += 1) {
      const { rig, client, superblock } = inUse();
      const random = xorshift(seed);
      rig.device!.scrubMetadataEvery(HOUR_MS);
      rig.scheduler.advance(HOUR_MS - 1);
      for (let nth = 20; nth < 90; nth += 1) {
        if (random() % 4 === 0)
          pageOnMedium(rig, superblock, random() % 5, random() % 3, random() % 2).fill(9, 70);
        expect(client.write(nth * 8, 8, 7000 + nth)).toBe(0);
        rig.scheduler.advance(random() % 60);
      }
      rig.scheduler.advance(60_000);
      const { table } = rig.device!.context;
      rig.kill();
      const set = rig.assemble();
      assert(set.ok, `assembles: ${JSON.stringify(set)}`);
      expect(set.value.table.mappedCount).toBe(table.mappedCount);
      rig.open();
      for (let nth = 20; nth < 90; nth += 1) expect(client.read(nth * 8, 8)).toEqual(times(8, 7000 + nth));
      rig.kill();
    }
  });

  it('does no harm on a spare that takes no writes, and ends with the device', () => {
    const { rig, superblock, map } = inUse();
    copyOnMedium(rig, superblock, 1).fill(0);
    rig.stores[1]!.judge = ({ kind }) => (kind === 'write' ? ERRNO.ENODATA : 0);
    expect(scrub(rig)).toBeGreaterThan(0);
    rig.stores[1]!.judge = () => 0;
    rig.device!.endHolding();
    const told = rig.events.length;
    rig.scheduler.advance(5 * HOUR_MS);
    expect(rig.events.length).toBe(told);
    rig.kill();
    rig.open();
    expect(mapNow(rig)).toBe(map);
  });
});
