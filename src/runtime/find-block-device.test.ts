import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listBlockDevices } from '../kernel/block-devices.js';
import type { KnownDevice } from '../kernel/known-device.js';
import { type DeviceIdentity, NO_IDENTITY, PLAIN_QUEUE } from '../ports/block-store.js';
import { type BlockDeviceSearch, findBlockDevice } from './find-block-device.js';

const DISK: DeviceIdentity = { model: 'Disk', serial: 'S-1', wwn: 'naa.5000' };
const MIB_SECTORS = 2048;

describe('looking for a block device that has vanished', () => {
  let root = '';
  /** Symbolic links and nodes in /dev: path to device number. */
  let nodes: Map<string, string>;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'dmremap-sysfs-'));
    nodes = new Map();
    mkdirSync(join(root, 'class/block'), { recursive: true });
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function put(path: string, contents: string): void {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), `${contents}\n`);
  }

  /** A device that the kernel shows; `name` is `sdb` or `sdb/sdb1`. */
  function attach(name: string, number: string, sectors: number, identity: DeviceIdentity): void {
    const directory = `devices/block/${name}`;
    const disk = `devices/block/${name.split('/')[0]}`;
    put(`${directory}/size`, String(sectors));
    put(`${directory}/dev`, number);
    if (identity.model !== '') put(`${disk}/device/model`, identity.model);
    if (identity.serial !== '') put(`${disk}/device/serial`, identity.serial);
    if (identity.wwn !== '') put(`${disk}/device/wwid`, identity.wwn);
    const kernelName = name.split('/').at(-1)!;
    symlinkSync(join('../..', directory), join(root, 'class/block', kernelName));
    nodes.set(`/dev/${kernelName.replaceAll('!', '/')}`, number);
  }

  function known(
    identity: DeviceIdentity,
    options: Partial<KnownDevice> = {},
    path = '/dev/sda',
  ): KnownDevice {
    const geometry = {
      sizeBytes: MIB_SECTORS * 512,
      logicalBlockBytes: 512,
      physicalBlockBytes: 4096,
      memoryAlignmentBytes: 4,
      rotational: true,
      readOnly: false,
      queue: PLAIN_QUEUE,
      identity,
    };
    const device = { fd: -1, path, kind: 'blockDevice', direct: true, geometry, description: path } as const;
    return { device, partition: null, file: null, ...options };
  }

  function find(device: KnownDevice): BlockDeviceSearch {
    return findBlockDevice(device, {
      list: () => listBlockDevices(root),
      numberAt: (path) => nodes.get(path),
    });
  }

  it('finds a disk under another name by serial number and WWN', () => {
    attach('sdb', '8:16', MIB_SECTORS, { ...DISK, serial: 'S-2', wwn: 'naa.5001' });
    attach('sdc', '8:32', MIB_SECTORS, DISK);
    expect(find(known(DISK))).toEqual({ kind: 'there', path: '/dev/sdc', proof: 'identity' });
  });

  it('finds one by its WWN alone', () => {
    attach('sdc', '8:32', MIB_SECTORS, { ...NO_IDENTITY, wwn: 'naa.5000' });
    expect(find(known({ ...NO_IDENTITY, wwn: 'naa.5000' }))).toMatchObject({ path: '/dev/sdc' });
  });

  it.each([
    ['the size', MIB_SECTORS * 2, DISK],
    ['the serial number', MIB_SECTORS, { ...DISK, serial: 'S-9' }],
    ['the WWN', MIB_SECTORS, { ...DISK, wwn: 'naa.5009' }],
    ['the model', MIB_SECTORS, { ...DISK, model: 'Other' }],
  ])('does not take a disk for it in which %s differs', (_name, sectors, identity) => {
    attach('sdc', '8:32', sectors, identity);
    expect(find(known(DISK))).toEqual({ kind: 'absent' });
  });

  it('does not take a disk of the same model and size for it that shows no serial number', () => {
    attach('sdc', '8:32', MIB_SECTORS, { ...NO_IDENTITY, model: 'Disk' });
    expect(find(known(DISK))).toEqual({ kind: 'absent' });
  });

  it('says so where another disk has its path', () => {
    attach('sda', '8:0', MIB_SECTORS, { ...DISK, serial: 'S-2', wwn: 'naa.5001' });
    expect(find(known(DISK))).toMatchObject({ kind: 'refused', name: '/dev/sda' });
    attach('sdc', '8:32', MIB_SECTORS, DISK);
    expect(find(known(DISK))).toMatchObject({ kind: 'there', path: '/dev/sdc' });
  });

  it('takes the one at its own path if several have its serial number, and none if none is there', () => {
    attach('sdb', '8:16', MIB_SECTORS, DISK);
    attach('sdc', '8:32', MIB_SECTORS, DISK);
    const byId = known(DISK, {}, '/dev/disk/by-id/disk-s1');
    expect(find(byId)).toMatchObject({ kind: 'refused', name: '/dev/sdb, /dev/sdc' });
    nodes.set('/dev/disk/by-id/disk-s1', '8:32');
    expect(find(byId)).toMatchObject({ kind: 'there', path: '/dev/sdc' });
  });

  it('tells partitions of one disk apart by their place', () => {
    attach('sdb', '8:16', MIB_SECTORS * 4, DISK);
    for (const [index, startSector] of [2048, 4096].entries()) {
      const name = `sdb/sdb${index + 1}`;
      attach(name, `8:${17 + index}`, MIB_SECTORS, NO_IDENTITY);
      put(`devices/block/${name}/partition`, String(index + 1));
      put(`devices/block/${name}/start`, String(startSector));
    }
    const second = known(DISK, { partition: { partitionNumber: 2, startSector: 4096 } });
    expect(find(second)).toEqual({ kind: 'there', path: '/dev/sdb2', proof: 'identity' });
    const moved = known(DISK, { partition: { partitionNumber: 2, startSector: 6144 } });
    expect(find(moved)).toEqual({ kind: 'absent' });
    expect(find(known(DISK))).toEqual({ kind: 'absent' });
  });

  it('looks for one without a serial number at its own path only', () => {
    attach('loop1', '7:1', MIB_SECTORS, NO_IDENTITY);
    expect(find(known(NO_IDENTITY, {}, '/dev/loop0'))).toEqual({ kind: 'absent' });
    attach('loop0', '7:0', MIB_SECTORS, NO_IDENTITY);
    expect(find(known(NO_IDENTITY, {}, '/dev/loop0'))).toEqual({
      kind: 'there',
      path: '/dev/loop0',
      proof: 'samePath',
    });
    attach('sda', '8:0', MIB_SECTORS, DISK);
    expect(find(known(NO_IDENTITY))).toMatchObject({ kind: 'refused', name: '/dev/sda' });
  });

  it('knows where nodes with a "!" in their kernel name are', () => {
    attach('cciss!c0d0', '104:0', MIB_SECTORS, DISK);
    expect(find(known(DISK))).toMatchObject({ path: '/dev/cciss/c0d0' });
  });

  it('finds nothing where /sys is not mounted', () => {
    rmSync(join(root, 'class'), { recursive: true });
    expect(find(known(DISK))).toEqual({ kind: 'absent' });
  });
});
