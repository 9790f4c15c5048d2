import { describe, expect, it } from 'vitest';
import type { BootSet, Member } from './boot-set.js';
import { memberRules } from './member-rules.js';

describe('the udev rules of a set', () => {
  it('take the links that follow from the contents off the main device and its partitions', () => {
    expect(linesOf({ main: disk('sdb', ['disk/by-id/ata-A', 'disk/by-path/p-1', 'mapper/m']) })).toEqual([
      'ENV{DEVTYPE}=="disk", SYMLINK=="disk/by-id/ata-A", ENV{DM_REMAP_MEMBER}="main", ENV{DM_REMAP_MEMBER_OF}="attic", SYMLINK="disk/by-id/ata-A disk/by-path/p-1 mapper/m"',
      'ENV{DEVTYPE}=="partition", SYMLINK=="disk/by-id/ata-A-part[0-9]*", ENV{DM_REMAP_MEMBER}="main-partition", ENV{DM_REMAP_MEMBER_OF}="attic", SYMLINK="disk/by-id/ata-A-part%n disk/by-path/p-1-part%n"',
    ]);
  });

  it('have one line for a main device that is a partition', () => {
    const main = { ...disk('sdb1', ['disk/by-id/ata-A-part1']) };
    const lines = linesOf({ main: { ...main, device: { ...main.device!, isPartition: true } } });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^ENV\{DEVTYPE\}=="partition", SYMLINK=="disk\/by-id\/ata-A-part1",/);
  });

  it('leave the links of spares alone', () => {
    const lines = linesOf({ main: image, spares: [disk('sdc', ['disk/by-id/usb-B'])] });
    expect(lines).toEqual([
      'ENV{DEVTYPE}=="disk", SYMLINK=="disk/by-id/usb-B", ENV{DM_REMAP_MEMBER}="spare", ENV{DM_REMAP_MEMBER_OF}="attic"',
    ]);
  });

  it('find a disk without a stable name by that of the kernel', () => {
    expect(linesOf({ main: { ...disk('vdb', []), path: '/dev/vdb' } }).map(matchOf)).toEqual([
      'KERNEL=="vdb"',
      'ENV{DEVTYPE}=="partition", KERNEL=="vdb[0-9]*"',
    ]);
    const nvme = linesOf({ main: { ...disk('nvme0n1', []), path: '/dev/nvme0n1' } });
    expect(nvme.map(matchOf)[1]).toBe('ENV{DEVTYPE}=="partition", KERNEL=="nvme0n1p[0-9]*"');
  });

  it('name the device by the set it belongs to, with labels of their own', () => {
    const rules = memberRules({ ...SET, name: 'my-set.2' });
    expect(rules).toContain(
      'KERNEL=="ublkb*", ENV{DM_REMAP_UUID}=="0f0e0d0c-0b0a-4900-8000-000102030405", ENV{DM_REMAP_NAME}="my-set.2"\n',
    );
    expect(rules.match(/(GOTO|LABEL)="dm_remap_set_my_set_2_end"/g)).toHaveLength(3);
  });
});

const image: Member = { path: '/srv/image', device: null };

const SET: BootSet = {
  name: 'attic',
  setId: '0f0e0d0c-0b0a-4900-8000-000102030405',
  main: image,
  spares: [],
  options: [],
};

function disk(kernelName: string, links: readonly string[]): Member {
  return { path: `/dev/${links[0]}`, device: { kernelName, isPartition: false, links } };
}

/** What is said of members. */
function linesOf(changes: Partial<BootSet>): string[] {
  const lines = memberRules({ ...SET, ...changes }).split('\n');
  return lines.filter((line) => line.includes('DM_REMAP_MEMBER'));
}

function matchOf(line: string): string {
  return line.slice(0, line.indexOf(', ENV{DM_REMAP_MEMBER}'));
}
