import { describe, expect, it } from 'vitest';
import { ownLinks, stablePath } from './stable-name.js';

const LINKS = [
  'disk/by-uuid/0a1b',
  'disk/by-label/attic',
  'disk/by-diskseq/12',
  'disk/by-id/lvm-pv-uuid-x',
  'disk/by-path/pci-0000:00:1f.2-ata-1',
  'disk/by-id/wwn-0x5000',
  'disk/by-id/ata-WDC_1',
];

describe('the links that tell a disk by itself', () => {
  it('are those that neither its contents nor this boot decide', () => {
    expect(ownLinks(LINKS)).toEqual([
      'disk/by-path/pci-0000:00:1f.2-ata-1',
      'disk/by-id/wwn-0x5000',
      'disk/by-id/ata-WDC_1',
    ]);
  });

  it('have no characters that udev rules would interpret', () => {
    expect(ownLinks(['disk/by-id/a*', 'disk/by-id/a%n', 'disk/by-id/a"', 'disk/by-id/a b'])).toEqual([]);
  });
});

describe('the path that is written down', () => {
  const links = ownLinks(LINKS);

  it('is the given one where it is stable', () => {
    expect(stablePath('/dev/disk/by-path/pci-0000:00:1f.2-ata-1', links)).toBe(
      '/dev/disk/by-path/pci-0000:00:1f.2-ata-1',
    );
  });

  it('is otherwise the one with model and serial number, else a number, else the socket', () => {
    expect(stablePath('/dev/sdb', links)).toBe('/dev/disk/by-id/ata-WDC_1');
    expect(stablePath('/dev/disk/by-uuid/0a1b', links)).toBe('/dev/disk/by-id/ata-WDC_1');
    expect(stablePath('/dev/sdb', links.slice(0, 2))).toBe('/dev/disk/by-id/wwn-0x5000');
    expect(stablePath('/dev/sdb', links.slice(0, 1))).toBe('/dev/disk/by-path/pci-0000:00:1f.2-ata-1');
    expect(stablePath('/dev/sdb', [])).toBeUndefined();
  });
});
