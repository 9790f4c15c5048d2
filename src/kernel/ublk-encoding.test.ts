import { describe, expect, it } from 'vitest';
import { decodeDeviceInfo, encodeDeviceInfo, isZeroCopy } from './ublk-device-info.js';
import { encodeParams, type UblkParams } from './ublk-params.js';

/** Byte offsets from linux/ublk_cmd.h, written out here once more: not the constants of the code. */
describe('ublk device info', () => {
  const info = {
    deviceId: 3,
    state: 2,
    queueCount: 4,
    queueDepth: 128,
    maxIoBytes: 512 << 10,
    serverPid: 4711,
    flags: 0x8d8,
    serverTag: 0x0102_0304_0506_0708n,
  };

  it('is laid out as the kernel has it', () => {
    const view = new DataView(new ArrayBuffer(64));
    encodeDeviceInfo(info, view);
    expect([view.getUint16(0, true), view.getUint16(2, true), view.getUint16(4, true)]).toEqual([4, 128, 2]);
    expect([view.getUint32(8, true), view.getUint32(12, true), view.getInt32(16, true)]).toEqual([
      524288, 3, 4711,
    ]);
    expect([view.getBigUint64(24, true), view.getBigUint64(32, true)]).toEqual([
      0x8d8n,
      0x0102_0304_0506_0708n,
    ]);
    expect(decodeDeviceInfo(view)).toEqual(info);
  });

  it('shows zero copy only with both flags', () => {
    expect(isZeroCopy(info)).toBe(true);
    expect(isZeroCopy({ ...info, flags: 0x0d8 })).toBe(false);
    expect(isZeroCopy({ ...info, flags: 0x858 })).toBe(false);
  });
});

describe('ublk parameters', () => {
  const disk: UblkParams = {
    sizeBytes: 2 ** 44,
    logicalBlockBytes: 512,
    physicalBlockBytes: 4096,
    minimumIoBytes: 4096,
    optimalIoBytes: 0,
    maxIoBytes: 128 << 10,
    rotational: true,
    readOnly: false,
    volatileCache: true,
    discardGranularityBytes: 0,
    canWriteZeroes: false,
    memoryAlignmentBytes: 4,
  };

  function encoded(changes: Partial<UblkParams>): DataView {
    const view = new DataView(new ArrayBuffer(136));
    for (let at = 0; at < 136; at += 1) view.setUint8(at, 0xff);
    encodeParams({ ...disk, ...changes }, view);
    return view;
  }

  it('say of the device what the disk is', () => {
    const view = encoded({});
    expect([view.getUint32(0, true), view.getUint32(4, true)]).toEqual([136, 0x11]);
    expect(view.getUint32(8, true)).toBe(2 | 4 | 8);
    expect([12, 13, 14, 15].map((at) => view.getUint8(at))).toEqual([9, 12, 0, 12]);
    expect([view.getUint32(16, true), view.getUint32(20, true)]).toEqual([256, 0]);
    expect(view.getBigUint64(24, true)).toBe(2n ** 35n);
    expect(view.getUint32(108, true)).toBe(3);
  });

  it('offer FUA only with a volatile cache, and nothing to write on a read-only disk', () => {
    expect(encoded({ volatileCache: false, rotational: false }).getUint32(8, true)).toBe(0);
    expect(encoded({ volatileCache: false, rotational: false, readOnly: true }).getUint32(8, true)).toBe(1);
  });

  it('offer discard and zeroes only where the disk has them', () => {
    expect(encoded({}).getUint32(4, true) & 2).toBe(0);
    const discard = encoded({ discardGranularityBytes: 4096 });
    expect(discard.getUint32(4, true) & 2).toBe(2);
    expect([44, 48, 52].map((at) => discard.getUint32(at, true))).toEqual([4096, 131072, 0]);
    expect(discard.getUint16(56, true)).toBe(1);
    const zeroes = encoded({ canWriteZeroes: true });
    expect([44, 48, 52].map((at) => zeroes.getUint32(at, true))).toEqual([512, 0, 131072]);
  });

  it('say an optimal size only where it is a power of two', () => {
    expect(encoded({ optimalIoBytes: 1 << 20 }).getUint8(14)).toBe(20);
    expect(encoded({ optimalIoBytes: 3 << 18 }).getUint8(14)).toBe(0);
  });
});
