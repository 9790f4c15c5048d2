/**
 * Where the file system of a path is mounted, by the text of /proc/self/mountinfo (proc(5)): the mount point that has
 * most of the path. By name, because files of one overlay have several device numbers. `path`: absolute, without links.
 */
export function mountPointOf(path: string, mountinfo: string): string {
  const points = mountinfo.split('\n').flatMap((line) => line.split(' ')[4] ?? []);
  const above = points.map(plainPoint).filter((point) => isBelow(path, point));
  return above.reduce((longest, point) => (point.length > longest.length ? point : longest), '/');
}

function isBelow(path: string, point: string): boolean {
  return path === point || path.startsWith(point.endsWith('/') ? point : `${point}/`);
}

/** Blanks and backslashes are written in octal. */
function plainPoint(point: string): string {
  return point.replace(/\\([0-7]{3})/g, (_all, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/**
 * Where file systems of a type are mounted, and what from, by the same text; all of a file system comes before parts of it.
 * By name, because btrfs has device numbers of its own.
 */
export function mountsOf(type: string, mountinfo: string): Mount[] {
  const mounts = mountinfo.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , root, point] = before.split(' ');
    const [foundType, source] = after.split(' ');
    if (foundType !== type || source === undefined || point === undefined) return [];
    return [{ point: plainPoint(point), source: plainPoint(source), isWhole: root === '/' }];
  });
  return mounts.sort((one, other) => Number(other.isWhole) - Number(one.isWhole));
}

export interface Mount {
  readonly point: string;
  readonly source: string;
  /** Not a part of a file system only, as a subvolume is. */
  readonly isWhole: boolean;
}
