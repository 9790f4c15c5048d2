import type { Member } from './boot-set.js';

/** Lines of /etc/fstab that name the main device or a partition on it instead of the protected device above it. */
export function fstabLinesOnMain(
  fstab: string,
  given: string,
  { path, device }: Member,
): readonly FstabLine[] {
  const links = (device?.links ?? []).map((link) => `/dev/${link}`);
  const names = [given, path, ...links, ...(device === null ? [] : [`/dev/${device.kernelName}`])];
  return fstab.split('\n').flatMap((line, index) => {
    const [source = ''] = line.trim().split(/\s+/);
    const partition = names.map((name) => partitionOn(source, name)).find((found) => found !== undefined);
    return partition === undefined ? [] : [{ lineNumber: index + 1, source, partition }];
  });
}

export interface FstabLine {
  readonly lineNumber: number;
  /** What the line says now. */
  readonly source: string;
  /** '' for the whole device, else e.g. `-part1`: what the protected device's name ends with for the same place. */
  readonly partition: string;
}

/** `/dev/sdb2` is partition 2 on `/dev/sdb`, `/dev/nvme0n1p2` on `/dev/nvme0n1`, `...-part2` on any link. */
function partitionOn(source: string, disk: string): string | undefined {
  if (source === disk) return '';
  if (!source.startsWith(disk)) return undefined;
  const pattern = disk.startsWith('/dev/disk/') ? /^-part(\d+)$/ : /\d$/.test(disk) ? /^p(\d+)$/ : /^(\d+)$/;
  const number = pattern.exec(source.slice(disk.length))?.[1];
  return number === undefined ? undefined : `-part${number}`;
}
