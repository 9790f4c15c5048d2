import type { BootSet, Member, MemberDevice } from './boot-set.js';

/**
 * The udev rules of one set: which disks are its members, found by their stable names; the links of the main device
 * and of its partitions without those that follow from the contents; and the name of the protected device. What is
 * done with members is in boot/61-dm-remap.rules, which udev reads after this.
 */
export function memberRules({ name, setId, main, spares }: BootSet): string {
  const end = `dm_remap_set_${name.replaceAll(/[^A-Za-z0-9]/g, '_')}_end`;
  return [
    `# Members and name of the dm-remap set "${name}". Written by "dmremap boot enable ${name}".`,
    `ACTION=="remove", GOTO="${end}"`,
    `SUBSYSTEM!="block", GOTO="${end}"`,
    'KERNEL=="ublkb*", ENV{DEVTYPE}=="disk", IMPORT{file}="/run/dm-remap/%k.udev"',
    `KERNEL=="ublkb*", ENV{DM_REMAP_UUID}=="${setId}", ENV{DM_REMAP_NAME}="${name}"`,
    ...mainRules(main, name),
    ...spares.flatMap((spare) => spareRules(spare, name)),
    `LABEL="${end}"`,
    '',
  ].join('\n');
}

function mainRules({ path, device }: Member, name: string): string[] {
  if (device === null) return [];
  const rules = [`${matchDevice(path, device)}, ${mark('main', name)}${onlyLinks(device.links)}`];
  if (device.isPartition) return rules;
  const partitionLinks = device.links.filter(hasPartitionLinks).map((link) => `${link}-part%n`);
  return [
    ...rules,
    `${matchPartitions(path, device)}, ${mark('main-partition', name)}${onlyLinks(partitionLinks)}`,
  ];
}

function spareRules({ path, device }: Member, name: string): string[] {
  return device === null ? [] : [`${matchDevice(path, device)}, ${mark('spare', name)}`];
}

/** By the name it was given; a device that has no stable one was taken with --force, and is matched by its kernel name. */
function matchDevice(path: string, { kernelName, isPartition, links }: MemberDevice): string {
  const type = `ENV{DEVTYPE}=="${isPartition ? 'partition' : 'disk'}"`;
  const link = linkOf(path, links);
  return link === undefined ? `KERNEL=="${kernelName}"` : `${type}, SYMLINK=="${link}"`;
}

function matchPartitions(path: string, { kernelName, links }: MemberDevice): string {
  const link = linkOf(path, links);
  const kernelPattern = /\d$/.test(kernelName) ? `${kernelName}p[0-9]*` : `${kernelName}[0-9]*`;
  const match = link === undefined ? `KERNEL=="${kernelPattern}"` : `SYMLINK=="${link}-part[0-9]*"`;
  return `ENV{DEVTYPE}=="partition", ${match}`;
}

function linkOf(path: string, links: readonly string[]): string | undefined {
  return links.find((link) => `/dev/${link}` === path);
}

function mark(role: string, name: string): string {
  return `ENV{DM_REMAP_MEMBER}="${role}", ENV{DM_REMAP_MEMBER_OF}="${name}"`;
}

/** `=` drops every other link that earlier rules gave. */
function onlyLinks(links: readonly string[]): string {
  return `, SYMLINK="${links.join(' ')}"`;
}

function hasPartitionLinks(link: string): boolean {
  return /^disk\/by-(id|path)\//.test(link);
}
