import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { blockDeviceTarget, deviceUnit, unitWord } from './unit-name.js';

describe('the device unit of a path', () => {
  it('is escaped as systemd does it', () => {
    expect(deviceUnit('/dev/sdb1')).toBe('dev-sdb1.device');
    expect(deviceUnit('/dev/disk/by-id/ata-WDC_WD10-2.0')).toBe(
      'dev-disk-by\\x2did-ata\\x2dWDC_WD10\\x2d2.0.device',
    );
    expect(blockDeviceTarget('/dev/dm-remap/my-disk')).toBe('blockdev@dev-dm\\x2dremap-my\\x2ddisk.target');
  });

  it('agrees with systemd-escape on odd paths', (context) => {
    for (const path of ['/dev/disk/by-id/usb-A#b+c=d@e:f_g', '/.hidden/ü', '//dev//sda/']) {
      const { status, stdout } = spawnSync('systemd-escape', ['--path', '--suffix=device', path]);
      if (status !== 0) context.skip('systemd-escape is not there');
      expect(deviceUnit(path)).toBe(stdout.toString().trim());
    }
  });
});

describe('a word of a command line in a unit', () => {
  it('is quoted only where it has to be', () => {
    expect(unitWord('/usr/bin/node')).toBe('/usr/bin/node');
    expect(unitWord('/a b/"c"\\')).toBe('"/a b/\\"c\\"\\\\"');
    expect(unitWord('/100%/$HOME')).toBe('/100%%/$$HOME');
  });
});
