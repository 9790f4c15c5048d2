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
