/** A path with blanks would shift all fields behind it; written as the kernel writes such names in /proc. */
export function escapePath(path: string): string {
  return path.replace(/[ \t\n\v\f\r\\]/g, octal);
}

/** Of one field of a line. */
export function pathOf(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

function octal(character: string): string {
  return `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`;
}
