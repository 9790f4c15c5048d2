import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { METADATA_PAGE_BYTES, superblockOffsetBytes } from '../format/layout.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import { numberedDevice, pageOnMedium, times } from './testing/numbered-device.js';
import type { JudgedIo } from './testing/scripted-store.js';

const { EIO } = ERRNO;

/** Not one superblock can be written; pages can. */
function refuseSuperblocks(rig: DeviceOnMemory): void {
  const { copies } = rig.device!.metadata.superblock;
  const places = copies.flatMap((copy) => [0, 1].map((slot) => superblockOffsetBytes(copy, slot)));
  rig.stores[1]!.judge = ({ kind, offsetBytes }) =>
    kind === 'write' && places.includes(offsetBytes) ? EIO : 0;
}

describe('pages that are initialised again because the superblock could not be written (rule W4)', () => {
  it.each([
    0, 1, 2, 3, 4,
  ])('hide no update, where copy %i misses the first one after a restart', (missing) => {
    const { rig, client } = numberedDevice({
      faults: 'main:\n  - { sectors: "8-15", on: [write], error: ENODATA }',
    });
    rig.open();
    refuseSuperblocks(rig);
    for (let attempt = 0; attempt < 3; attempt += 1) expect(client.write(8, 8, 5000)).toBe(EIO);
    const { superblock } = rig.device!.metadata;
    expect(superblock.spares[0]!.initialisedPageCount).toBe(0);
    rig.kill();
    rig.stores[1]!.judge = () => 0;
    rig.open();

    const media = rig.disks[1]!.contents;
    const firstUpdate = pageOnMedium(rig, superblock, missing, 0, 0);
    const offsetBytes = firstUpdate.byteOffset - media.byteOffset;
    const isFirstUpdate = (io: JudgedIo): boolean =>
      io.kind === 'write' &&
      io.offsetBytes < offsetBytes + METADATA_PAGE_BYTES &&
      io.offsetBytes + io.lengthBytes > offsetBytes;
    rig.stores[1]!.judge = (io) => (isFirstUpdate(io) ? EIO : 0);
    expect(client.write(8, 8, 6000)).toBe(0);
    rig.kill();
    rig.stores[1]!.judge = () => 0;
    rig.open();
    expect(client.read(8, 8)).toEqual(times(8, 6000));
  });
});
