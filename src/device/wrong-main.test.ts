import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { numberedDevice, original, times } from './testing/numbered-device.js';

function kindOf(set: { ok: true } | { ok: false; error: { kind: string } }): string {
  return set.ok ? 'assembled' : set.error.kind;
}

/** Unit 0 is on a spare and stopped cleanly. */
function closedDevice(): ReturnType<typeof numberedDevice> {
  const device = numberedDevice({ faults: 'main:\n  - { sectors: "0-7", on: [write], error: ENODATA }' });
  device.rig.open();
  expect(device.client.write(0, 16, 5000)).toBe(0);
  device.rig.close();
  return device;
}

describe('the main device of a set', () => {
  it('is accepted when it is as it was left', () => {
    const { rig, client } = closedDevice();
    rig.open();
    expect(client.read(0, 24)).toEqual([...times(16, 5000), ...original(16, 8)]);
  });

  it('is refused when its contents have changed since a clean stop, and accepted by force', () => {
    const { rig } = closedDevice();
    rig.disks[0]!.contents.fill(0x11, 1 << 20);
    const set = rig.assemble();
    expect(set).toMatchObject({ ok: false, error: { kind: 'wrongMain', mismatches: [{ kind: 'content' }] } });
    expect(kindOf(rig.assemble({ force: true }))).toBe('assembled');
    rig.open({ force: true });
    rig.close();
    expect(kindOf(rig.assemble())).toBe('assembled');
  });

  it('is not judged by its contents after a kill: it may have been written to', () => {
    const { rig } = closedDevice();
    rig.open();
    rig.kill();
    rig.disks[0]!.contents.fill(0x11, 1 << 20);
    expect(kindOf(rig.assemble())).toBe('assembled');
  });

  it('is not judged by what lies under a unit that lives on a spare', () => {
    const { rig } = closedDevice();
    rig.disks[0]!.contents.fill(0x22, 0, 4096);
    expect(kindOf(rig.assemble())).toBe('assembled');
  });

  it('is accepted when sampled blocks have become unreadable meanwhile', () => {
    const { rig, client } = closedDevice();
    rig.stores[0]!.judge = ({ kind, offsetBytes }) =>
      kind === 'read' && offsetBytes < 1 << 20 ? ERRNO.EIO : 0;
    rig.open();
    expect(client.read(0, 8)).toEqual(times(8, 5000));
  });

  it('is refused when it has another size; force lifts that only for a larger one', () => {
    const { rig } = closedDevice();
    const { geometry } = rig.disks[0]!;
    const larger = { ...geometry, sizeBytes: geometry.sizeBytes + 4096 };
    const smaller = { ...geometry, sizeBytes: geometry.sizeBytes - 4096 };
    expect(rig.assemble({ main: larger })).toMatchObject({ error: { mismatches: [{ kind: 'sizeBytes' }] } });
    expect(rig.assemble({ main: smaller })).toMatchObject({ error: { mismatches: [{ kind: 'sizeBytes' }] } });
    expect(kindOf(rig.assemble({ main: larger, force: true }))).toBe('assembled');
    expect(kindOf(rig.assemble({ main: smaller, force: true }))).toBe('wrongMain');
  });

  it('is refused when it has another logical block size', () => {
    const { rig } = closedDevice();
    const main = { ...rig.disks[0]!.geometry, logicalBlockBytes: 4096 };
    expect(rig.assemble({ main })).toMatchObject({ error: { mismatches: [{ kind: 'logicalBlockBytes' }] } });
  });
});
