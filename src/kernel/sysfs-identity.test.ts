import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NO_IDENTITY } from '../ports/block-store.js';
import { readSysfsNumber, sysfsBlockDevice } from './sysfs-block-device.js';
import { readDeviceIdentity } from './sysfs-identity.js';

describe('device identity from sysfs', () => {
  let root = '';

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'dmremap-sysfs-'));
    mkdirSync(join(root, 'dev/block'), { recursive: true });
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function put(path: string, contents: string | Buffer): void {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), contents);
  }

  function link(numbers: string, path: string): void {
    symlinkSync(join('../..', path), join(root, 'dev/block', numbers));
  }

  it('reads a SCSI disk: padded model, serial out of the VPD page, wwid', () => {
    put('devices/block/sda/device/model', 'WDC WD10EZEX-08W\n');
    put('devices/block/sda/device/wwid', 'naa.50014ee2b8d0a1b2\n');
    const serial = Buffer.from('     WD-WCC6Y0');
    put(
      'devices/block/sda/device/vpd_pg80',
      Buffer.concat([Buffer.from([0, 0x80, 0, serial.length]), serial]),
    );
    link('8:0', 'devices/block/sda');
    expect(readDeviceIdentity(8, 0, root)).toEqual({
      model: 'WDC WD10EZEX-08W',
      serial: 'WD-WCC6Y0',
      wwn: 'naa.50014ee2b8d0a1b2',
    });
  });

  it('gives a partition the identity and queue of its disk', () => {
    put('devices/block/sdb/device/model', 'Disk   \n');
    put('devices/block/sdb/queue/discard_max_bytes', '1048576\n');
    put('devices/block/sdb/sdb1/partition', '1\n');
    link('8:17', 'devices/block/sdb/sdb1');
    expect(readDeviceIdentity(8, 17, root).model).toBe('Disk');
    const device = sysfsBlockDevice(8, 17, root);
    expect(device?.directory.endsWith('sdb1')).toBe(true);
    expect(readSysfsNumber(device!.diskDirectory, 'queue/discard_max_bytes')).toBe(1_048_576);
    expect(readSysfsNumber(device!.diskDirectory, 'queue/absent')).toBeNull();
  });

  it('reads an NVMe namespace and a virtio disk', () => {
    put('devices/nvme0/model', 'Samsung SSD 980\n');
    put('devices/nvme0/serial', 'S64DNX0\n');
    put('devices/block/nvme0n1/wwid', 'eui.0025385a21b0c3d4\n');
    symlinkSync('../../nvme0', join(root, 'devices/block/nvme0n1/device'));
    link('259:0', 'devices/block/nvme0n1');
    put('devices/block/vda/serial', 'disk-7');
    link('254:0', 'devices/block/vda');
    expect(readDeviceIdentity(259, 0, root)).toEqual({
      model: 'Samsung SSD 980',
      serial: 'S64DNX0',
      wwn: 'eui.0025385a21b0c3d4',
    });
    expect(readDeviceIdentity(254, 0, root)).toEqual({ model: '', serial: 'disk-7', wwn: '' });
  });

  it('takes name and UUID of a device-mapper device', () => {
    put('devices/block/dm-0/dm/name', 'bad-disk\n');
    put('devices/block/dm-0/dm/uuid', 'LVM-abc\n');
    link('253:0', 'devices/block/dm-0');
    expect(readDeviceIdentity(253, 0, root)).toEqual({ model: 'bad-disk', serial: 'LVM-abc', wwn: '' });
  });

  it('knows nothing about a number that sysfs lacks', () => {
    expect(readDeviceIdentity(99, 99, root)).toEqual(NO_IDENTITY);
    expect(readDeviceIdentity(99, 99, join(root, 'absent'))).toEqual(NO_IDENTITY);
  });

  it('ignores a VPD page that is cut short or of another kind', () => {
    put('devices/block/sdc/device/vpd_pg80', Buffer.from([0, 0x83, 0, 4, 65, 66, 67, 68]));
    link('8:32', 'devices/block/sdc');
    expect(readDeviceIdentity(8, 32, root).serial).toBe('');
  });
});
