/**
 * The device unit of a path, as `systemd-escape --path --suffix=device` prints it (systemd.unit(5), "String escaping
 * for inclusion in unit names"): `/dev/disk/by-id/x` is `dev-disk-by\x2did-x.device`.
 */
export function deviceUnit(path: string): string {
  return `${escapePath(path)}.device`;
}

/** The passive target between whoever makes a block device and whoever uses it (systemd.special(7), blockdev@.target). */
export function blockDeviceTarget(path: string): string {
  return `blockdev@${escapePath(path)}.target`;
}

/** A word of a command line in a unit file (systemd.service(5), "Command lines"): nothing in it is special any more. */
export function unitWord(text: string): string {
  const literal = text.replaceAll('%', '%%').replaceAll('$', '$$$$');
  if (!/[\s"'\\;]/.test(literal)) return literal;
  return `"${literal.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

function escapePath(path: string): string {
  const parts = path.split('/').filter((part) => part !== '');
  return parts.map((part, index) => escapePart(part, index === 0)).join('-');
}

function escapePart(part: string, isFirst: boolean): string {
  return [...Buffer.from(part)]
    .map((byte, index) => {
      const character = String.fromCharCode(byte);
      const isPlain = /[A-Za-z0-9:_.]/.test(character) && !(isFirst && index === 0 && character === '.');
      return isPlain ? character : `\\x${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');
}
