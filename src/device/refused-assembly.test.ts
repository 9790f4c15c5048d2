import { describe, expect, it } from 'vitest';
import { slotOf } from '../format/superblock.js';
import { numberedDevice, original, pageOnMedium, times } from './testing/numbered-device.js';

describe('assembling a set', () => {
  it.each<[string, (page: Uint8Array) => void]>([
    ['damaged', (page) => page.set([page[100]! ^ 1], 100)],
    ['zero', (page) => page.fill(0)],
    ['something else', (page) => page.fill(0x5a)],
  ])('is refused when the newest version of a page is %s after a clean stop, and force lifts that', (_what, spoil) => {
    const { rig, client } = numberedDevice({
      faults: 'main:\n  - { sectors: "8-23", on: [write], error: ENODATA }',
    });
    rig.open();
    expect(client.write(8, 8, 5000)).toBe(0);
    expect(client.write(16, 8, 5001)).toBe(0);
    const { superblock } = rig.device!.metadata;
    rig.close();
    const before = rig.assemble();
    if (!before.ok) throw new Error(before.error.kind);
    const newest = slotOf(before.value.metadata.pageSequences[0]!);
    for (const copy of superblock.copies.keys()) spoil(pageOnMedium(rig, superblock, copy, 0, newest));
    const pages: unknown = expect.arrayContaining([0]);
    expect(rig.assemble()).toEqual({ ok: false, error: { kind: 'maybeOutdated', pages } });
    rig.open({ force: true });
    expect(client.read(8, 8)).toEqual(times(8, 5000));
    expect(client.read(16, 8), 'its remap was in the version that is gone').toEqual(original(16, 8));
  });

  it('goes on from the older version of a page after a kill: a cut-off update looks the same', () => {
    const { rig, client } = numberedDevice({
      faults: 'main:\n  - { sectors: "8-23", on: [write], error: ENODATA }',
    });
    rig.open();
    expect(client.write(8, 8, 5000)).toBe(0);
    const { superblock } = rig.device!.metadata;
    rig.kill();
    for (const copy of superblock.copies.keys()) pageOnMedium(rig, superblock, copy, 0, 0)[100]! ^= 1;
    expect(rig.assemble().ok).toBe(true);
  });

  it('is refused when a device has larger blocks than the set, even by force', () => {
    const { rig } = numberedDevice();
    rig.open();
    rig.close();
    const main = { ...rig.disks[0]!.geometry, logicalBlockBytes: 4096 };
    const refusal = { kind: 'blockTooLarge', logicalBlockBytes: 4096, recordedBytes: 512 };
    expect(rig.assemble({ main, force: true })).toEqual({ ok: false, error: refusal });
    const large = { spareLogicalBlockBytes: 4096 };
    expect(rig.assemble(large)).toEqual({ ok: false, error: refusal });
    expect(rig.assemble({ ...large, force: true })).toEqual({ ok: false, error: refusal });
    expect(rig.assemble().ok).toBe(true);
  });
});
